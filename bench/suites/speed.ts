import { join } from "node:path";
import { contestants } from "../contestants/all.ts";
import { type Contestant, keyOf, type Running } from "../contestant.ts";
import { timedCurl } from "../curl.ts";
import { compareStored, emptyStore, settleDisk, warm, writeRandom } from "../ground.ts";
import { cpuSeconds } from "../proc.ts";
import { Entry, type Outcome, runRounds } from "../rounds.ts";
import type { Session } from "../session.ts";
import { isClose } from "../targets.ts";

/** One upload. */
export interface SpeedRun {
  readonly round: number;
  readonly seconds: number;
  /** Of the server's processes. */
  readonly cpuSeconds: number;
}

export interface SpeedResult extends Outcome<SpeedRun> {
  readonly group: string;
  readonly name: string;
}

export interface SpeedReport {
  /** `close`: many rounds of those alone whose target a few percent decide. */
  readonly suite: "speed" | "close";
  readonly sizeBytes: number;
  readonly results: readonly SpeedResult[];
}

async function measure(running: Running, store: string, input: string, bytes: number, round: number): Promise<SpeedRun> {
  await emptyStore(store);
  await settleDisk();
  await warm(input);
  const pids = running.pids();
  const before = cpuSeconds(pids);
  const start = performance.now();
  const args = await running.curl(input);
  const asked = (performance.now() - start) / 1000;
  const seconds = asked + (await timedCurl(args)).seconds;
  const run = { round, seconds, cpuSeconds: cpuSeconds(pids) - before };
  await (running.compare?.(store, input) ?? compareStored(store, input, bytes));
  await emptyStore(store);
  return run;
}

/** Starts a contestant. What it throws, being refused by nginx for one, ends its part. */
async function enter(session: Session, contestant: Contestant, input: string): Promise<Entry<SpeedRun>> {
  const key = keyOf(contestant);
  let running: Running | undefined;
  const place = await session.ground.place(key);
  const entry = new Entry<SpeedRun>(
    session,
    key,
    (round) => measure(running!, running!.store ?? place.store, input, session.options.sizeBytes, round),
    (run) => `${run.seconds.toFixed(3)} s, server ${run.cpuSeconds.toFixed(2)} CPU s`,
  );
  await entry.attempt(async () => {
    const started = await contestant.start(place);
    session.cleanup.add(() => started.stop());
    running = started;
  });
  return entry;
}

async function runChosen(session: Session, isAsked: (key: string) => boolean): Promise<Omit<SpeedReport, "suite">> {
  const { options, ground } = session;
  const input = join(ground.folder, "input.bin");
  session.say(`input: ${options.sizeBytes / 1024 ** 2} MiB of random bytes`);
  await writeRandom(input, options.sizeBytes);

  const chosen = contestants.filter((one) => options.groups.includes(one.group) && options.only.test(keyOf(one)) && isAsked(keyOf(one)));
  const parts: { readonly contestant: Contestant; readonly entry: Entry<SpeedRun> }[] = [];
  for (const contestant of chosen) parts.push({ contestant, entry: await enter(session, contestant, input) });
  await runRounds(session, parts.map(({ entry }) => entry));
  const results = parts.map(({ contestant: { group, name }, entry }) => ({ group, name, ...entry.outcome }));
  return { sizeBytes: options.sizeBytes, results };
}

/** One upload at a time, everyone in each round. */
export const runSpeed = async (session: Session): Promise<SpeedReport> => ({ suite: "speed", ...(await runChosen(session, () => true)) });

/** The same with those alone whose target a few percent decide. */
export const runClose = async (session: Session): Promise<SpeedReport> => ({ suite: "close", ...(await runChosen(session, isClose)) });
