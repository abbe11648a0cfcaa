import { spawn } from "node:child_process";
import { join } from "node:path";
import { Problem } from "../../scripts/core/problem.ts";
import { type Argv, lastLines, run } from "../../scripts/core/run.ts";
import { type Uploader, uploaderName, uploaders } from "../contestants/uploaders.ts";
import { compareStored, emptyStore, settleDisk, storedFiles, warm, writeRandom } from "../ground.ts";
import { ADDRESS, CONGESTION_CONTROLS, type CongestionControl, type Link, LINK, type LinkStats, startLink } from "../link.ts";
import { compile } from "../programs.ts";
import { Entry, type Outcome, runRounds } from "../rounds.ts";
import type { SiteReady } from "../servers/site.ts";
import type { Session } from "../session.ts";
import { startSite } from "../site.ts";

/** One upload over the link. */
export interface LinkRun extends LinkStats {
  readonly round: number;
  readonly seconds: number;
}

export interface LinkResult extends Outcome<LinkRun> {
  readonly congestion: CongestionControl;
  readonly tool: string;
  readonly streams: number;
  readonly bytes: number;
}

/** What the link does to one TCP connection that carries nothing but bytes, from a program in C to another. */
export interface LinkCheck extends LinkStats {
  readonly congestion: CongestionControl;
  readonly lossPpm: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Of the connection's first packet to the answer. */
  readonly roundTripSeconds: number;
}

export interface LinkReport {
  readonly suite: "link";
  readonly link: typeof LINK;
  readonly checks: readonly LinkCheck[];
  readonly results: readonly LinkResult[];
  /** `net.ipv4.tcp_wmem` and `net.ipv4.tcp_rmem`. */
  readonly buffers: { readonly send: string; readonly receive: string };
}

const MIB = 1024 ** 2;
/** A sender that takes each loss for a jam is so much slower that it gets so much less to send. */
const SHARE: Readonly<Record<CongestionControl, number>> = { cubic: 1 / 4, bbr: 1 };
const MOST_JOIN_MS = 30_000;
const SINK_PORT = 9000;
/** Handshakes on an idle link take this much longer at most than the link's own round trip. */
const MOST_EXTRA_SECONDS = 0.02;

export const bytesFor = (congestion: CongestionControl, sizeBytes: number): number => Math.max(MIB, Math.round(sizeBytes * SHARE[congestion]));

/** Name of a result in --only and on the way. */
export const linkName = (congestion: string, uploader: Pick<Uploader, "tool" | "streams">): string => `${congestion}/${uploaderName(uploader)}`;

/** Sends bytes to the sink at the other end, with curl: a TCP connection without TLS or a site. */
async function check(link: Link, congestion: CongestionControl, lossPpm: number, file: string, bytes: number): Promise<LinkCheck> {
  await link.congestion(congestion);
  await link.lose(lossPpm, 1);
  const argv = link.at("client", ["curl", "-sS", "-o", "/dev/null", "-H", "Expect:", "-w", "%{time_connect} %{time_total}", "-T", file, `http://${ADDRESS.server}:${SINK_PORT}/`]);
  const result = await run(argv);
  if (!result.ok) throw new Problem(`link: no bytes come through\n${lastLines(result)}`);
  const [roundTripSeconds = NaN, seconds = NaN] = result.stdout.split(" ").map(Number);
  const own = LINK.roundTripMs / 1000;
  // A lost first packet is sent again after a second; that is no fault of the link's.
  if (lossPpm === 0 && !(roundTripSeconds >= own && roundTripSeconds < own + MOST_EXTRA_SECONDS)) {
    throw new Problem(`link: its round trip is to take ${LINK.roundTripMs} ms, took ${(roundTripSeconds * 1e3).toFixed(1)} ms; leave the machine alone meanwhile`);
  }
  return { congestion, lossPpm, bytes, seconds, roundTripSeconds, ...(await link.stats()) };
}

/** Looks at the link itself, before anything is measured through it. */
async function checkLink(session: Session, link: Link, input: (congestion: CongestionControl) => string): Promise<LinkCheck[]> {
  const { store } = await session.ground.place("sink");
  const [program, ...args] = link.at("server", [await compile("sink"), `${SINK_PORT}`, store, "none", ADDRESS.server]);
  const sink = spawn(program, args, { stdio: "ignore" });
  session.cleanup.add(() => void sink.kill("SIGKILL"));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const checks: LinkCheck[] = [];
  for (const lossPpm of [0, LINK.lossPpm]) {
    for (const congestion of CONGESTION_CONTROLS) {
      const of = lossPpm === 0 ? "bbr" : congestion;
      const one = await check(link, congestion, lossPpm, input(of), bytesFor(of, session.options.sizeBytes));
      session.say(`link: ${congestion}, ${one.lost} of ${one.lost + one.passed} packets lost, first answer after ${(one.roundTripSeconds * 1e3).toFixed(1)} ms, ${((one.bytes * 8) / one.seconds / 1e6).toFixed(0)} Mb/s`);
      checks.push(one);
    }
  }
  sink.kill("SIGKILL");
  await emptyStore(store);
  return checks;
}

interface Measured {
  readonly link: Link;
  readonly site: SiteReady;
}

async function measure({ link, site }: Measured, congestion: CongestionControl, uploader: Uploader, file: string, bytes: number, round: number): Promise<LinkRun> {
  const at = (argv: Argv): Argv => link.at("client", argv);
  const argv = at(await uploader.command(site, file, at));
  await emptyStore(site.files);
  await settleDisk();
  await warm(file);
  await link.congestion(congestion);
  // Everyone meets the same losses in a round, and others in the next.
  await link.lose(LINK.lossPpm, round + 1);
  const start = performance.now();
  const result = await run(argv);
  const seconds = (performance.now() - start) / 1000;
  if (!result.ok) throw new Problem(`${uploaderName(uploader)}: ended with ${result.exitCode ?? "a signal"}\n${lastLines(result)}`);
  const stats = await link.stats();
  // Parallel uploads of tus are put together after their answer: that is not in the time.
  for (let waited = 0; waited < MOST_JOIN_MS && (await storedFiles(site.files)).length === 0; waited += 50) await new Promise((resolve) => setTimeout(resolve, 50));
  await compareStored(site.files, file, bytes);
  return { round, seconds, ...stats };
}

/** One file over a long line that loses packets, by each client and with each way to find the speed. */
export async function runLink(session: Session): Promise<LinkReport> {
  const { options, ground, cleanup } = session;
  const input = (congestion: CongestionControl): string => join(ground.folder, `input-${congestion}.bin`);
  for (const congestion of CONGESTION_CONTROLS) await writeRandom(input(congestion), bytesFor(congestion, options.sizeBytes));
  const link = await startLink(cleanup);
  const checks = await checkLink(session, link, input);
  const site = await startSite(ground, cleanup, { address: ADDRESS.server, at: (argv) => link.at("server", argv) });

  const parts = CONGESTION_CONTROLS.flatMap((congestion) => uploaders.map((uploader) => ({ congestion, uploader, bytes: bytesFor(congestion, options.sizeBytes) })))
    .filter(({ congestion, uploader }) => options.only.test(linkName(congestion, uploader)))
    .map((part) => ({
      ...part,
      entry: new Entry<LinkRun>(
        session,
        linkName(part.congestion, part.uploader),
        (round) => measure({ link, site }, part.congestion, part.uploader, input(part.congestion), part.bytes, round),
        (one) => `${one.seconds.toFixed(2)} s, ${((part.bytes * 8) / one.seconds / 1e6).toFixed(1)} Mb/s, ${one.lost} packets lost, ${one.dropped} dropped`,
      ),
    }));
  await runRounds(session, parts.map(({ entry }) => entry));
  return {
    suite: "link",
    link: LINK,
    checks,
    results: parts.map(({ congestion, uploader: { tool, streams }, bytes, entry }) => ({ congestion, tool, streams, bytes, ...entry.outcome })),
    buffers: { send: await link.setting("net.ipv4.tcp_wmem"), receive: await link.setting("net.ipv4.tcp_rmem") },
  };
}
