import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../scripts/local/ports.ts";
import { TestKeys } from "../helpers/matrix-http2.ts";
import { type Nginx, type NginxOptions, prepareModule, withNginx } from "../helpers/nginx.ts";
import { exchange, form, post } from "../helpers/wire.ts";
import { orphans } from "./leftovers.ts";
import { Random } from "./random.ts";
import { type Holdings, holdings, piecesFolder, stormSite } from "./site.ts";
import { storm, type StormResult } from "./storm.ts";
import { Target } from "./target.ts";

export interface HostileOptions {
  readonly seed: number;
  /** Number of the first case. @default 0 */
  readonly from?: number;
  readonly count: number;
  /** Whether the module has the sanitizers: slower, and its memory says nothing. */
  readonly sanitize: boolean;
  /** Whether the disk now and then takes its time (test/fixtures/slow.c). @default false */
  readonly slowDisk?: boolean;
  /** Connections at once. @default 128 */
  readonly atOnce?: number;
  readonly progress?: (done: number) => void;
  /** More of nginx's options. @default none */
  readonly nginx?: Partial<NginxOptions>;
}

/** What a storm did to a server. */
export interface HostileReport {
  readonly done: number;
  /** Uploads that came to the target. */
  readonly uploads: number;
  readonly statuses: StormResult["statuses"];
  /** Everything that should not have been; empty when all is well. */
  readonly findings: readonly string[];
  /** Private memory of the workers before the storm and after each third of it, bytes. */
  readonly memory: readonly number[];
}

/** An upload as it should be: the target gets it, and its bytes. */
async function goodUpload(site: Nginx, target: Target): Promise<void> {
  const { uploads } = target;
  const body = form([{ disposition: 'name="file"; filename="good"', body: new Random(1).bytes(20_000) }]);
  const answer = await exchange(site.port, post("/upload", body, { extra: ["X-Waits: yes"] }));
  if (answer.status !== 200 || answer.body !== "taken" || target.uploads !== uploads + 1) {
    throw new Error(`a good upload was answered ${answer.status} ${JSON.stringify(answer.body)}`);
  }
}

/** What a worker has lost when it ends is a finding, too. */
const leakCheck = {
  ASAN_OPTIONS: "detect_leaks=1:abort_on_error=0:log_path=%FOLDER%/sanitizer",
  LSAN_OPTIONS: `print_suppressions=0:suppressions=${fileURLToPath(new URL("../fixtures/nginx.lsan", import.meta.url))}`,
};

/** Compiles the library that makes the disk slow, into a folder. @returns what nginx is to preload */
function slowDisk(folder: string): string[] {
  const library = join(folder, "slow.so");
  execFileSync("gcc", ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, fileURLToPath(new URL("../fixtures/slow.c", import.meta.url)), "-ldl"]);
  return [library];
}

/** Waits until nobody is left, neither client nor connection to the target, then reads what the workers have. */
async function atRest(site: Nginx, target: Target, descriptors = Infinity): Promise<Holdings> {
  for (let i = 0; i < 200; i++) {
    target.closeIdle();
    const now = await holdings(site);
    if (now.connections === 0 && now.descriptors.length <= descriptors) return now;
    await sleep(50);
  }
  return holdings(site);
}

function compare(before: Holdings, after: Holdings): string[] {
  const findings: string[] = [];
  if (`${before.workers}` !== `${after.workers}`) findings.push(`a worker died: they were ${before.workers}, they are ${after.workers}`);
  if (after.connections !== 0) findings.push(`${after.connections} connections are left open`);
  if (after.descriptors.length > before.descriptors.length) {
    const had = [...before.descriptors];
    const more = after.descriptors.filter((one) => !had.includes(one) || had.splice(had.indexOf(one), 1).length === 0);
    findings.push(`${after.descriptors.length} descriptors are open, ${before.descriptors.length} were; new are ${more.join(", ")}`);
  }
  return findings;
}

/** Milliseconds after which a server that answers nobody is a finding. */
const STANDSTILL = 120_000;

/** Asks for something through server and target. @throws when there is no answer within two minutes */
async function probe(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const request = http.get({ port, host: "127.0.0.1", path: "/probe", agent: false, timeout: STANDSTILL }, (response) => response.resume().on("end", resolve));
    request.on("timeout", () => request.destroy(new Error(`nobody was answered for ${STANDSTILL / 1000} s`))).on("error", reject);
  });
}

/**
 * Lets a storm of hostile requests loose on a server of its own and looks at what it has left. nginx's own words (its
 * error log, the sanitizers' reports) are among the findings.
 */
export async function hostileRun(options: HostileOptions): Promise<HostileReport> {
  await prepareModule(options.sanitize);
  let folder = "";
  const target = await Target.start(() => folder);
  const keys = new TestKeys();
  const findings: string[] = [];
  const results: StormResult[] = [];
  const memory: number[] = [];
  try {
    const parts = { target: target.address, securePort: await freePort(), keys: keys.directives };
    const settings = stormSite(parts, { sanitize: options.sanitize, expectLog: expected, environment: options.sanitize ? leakCheck : {}, preload: options.slowDisk === true ? slowDisk(keys.folder) : [], ...options.nginx });
    await withNginx(settings, async (site) => {
      folder = site.folder;
      mkdirSync(join(folder, piecesFolder));
      await goodUpload(site, target);
      const before = await atRest(site, target);
      memory.push(before.memory);
      const alive = (): string | undefined => (before.workers.every((pid) => existsSync(`/proc/${pid}`)) ? undefined : `a worker died:\n${site.log().slice(-3000)}`);
      for (const third of thirds(options)) {
        const ports = { http1: site.port, http2: site.tlsPort, tls: parts.securePort };
        const result = await storm({ ...options, ...third, ports, probe: () => probe(site.port), trouble: alive });
        results.push(result);
        findings.push(...result.findings);
        if (watchesMemory(options)) await sleep(BUFFERS_IDLE);
        memory.push((await atRest(site, target)).memory);
      }
      if (watchesMemory(options)) findings.push(...growth(memory, options.count));
      await probe(site.port);
      findings.push(...compare(before, await atRest(site, target, before.descriptors.length)), ...paddedFrames(results, site));
      findings.push(...orphans(site, target, results.flatMap(({ appearances }) => appearances)));
      await goodUpload(site, target);
    });
  } catch (error) {
    findings.push((error as Error).message);
  } finally {
    target.stop();
    keys.remove();
  }
  return { done: sum(results.map(({ done }) => done)), uploads: target.uploads, statuses: merge(results), findings: [...findings, ...target.findings], memory };
}

/**
 * nginx 1.22 miscounts the window of HTTP/2 when padding of a DATA frame comes in more than one piece, whoever reads
 * the body without buffering (`proxy_request_buffering off` as well): it logs this and answers 500.
 */
const paddedFrame = /http2 negative window update/;

/** That, and paths of pieces that no file can have. */
const expected = new RegExp(`${paddedFrame.source}|upload: open\\(\\) "[^"]*/${piecesFolder}/.* failed .*request: "P[A-Z]+ /piece`);

/** Answers of 500 over HTTP/2 that nginx's fault does not account for; pieces of impossible files are answered so, too. */
function paddedFrames(results: readonly StormResult[], site: Nginx): string[] {
  const faults = site.log().split("\n").filter((line) => paddedFrame.test(line)).length;
  const answers = sum(results.flatMap(({ statuses }) => [...statuses].map(([name, tally]) => (name.startsWith("HTTP/2") && name !== "HTTP/2: piece" ? (tally.get("500") ?? 0) : 0))));
  return answers > faults ? [`${answers} answers of 500 over HTTP/2, for ${faults} of which nginx itself is to blame`] : [];
}

/** From this many cases on, what a worker holds says whether it leaks: before, it may only have grown to its size. */
const LONG = 80_000;

/** The sanitizers hold back what is freed. */
const watchesMemory = ({ sanitize, count }: HostileOptions): boolean => !sanitize && count >= LONG;

/** Milliseconds after which a worker has given buffers that nobody needs to the kernel: two of its rounds. */
const BUFFERS_IDLE = 11_000;

/** A leak of a hundred bytes for each request of the last third would be more than this. */
function growth([, , second = 0, third = 0]: readonly number[], count: number): string[] {
  const grown = third - second;
  return grown > (count / 3) * 100 ? [`worker memory grew by ${grown} bytes in the last third`] : [];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

function thirds({ from = 0, count }: HostileOptions): { from: number; count: number }[] {
  const size = Math.ceil(count / 3);
  return [0, 1, 2].map((i) => ({ from: from + i * size, count: Math.min(size, count - i * size) })).filter((third) => third.count > 0);
}

function merge(results: readonly StormResult[]): Map<string, Map<string, number>> {
  const merged = new Map<string, Map<string, number>>();
  for (const [name, tally] of results.flatMap(({ statuses }) => [...statuses])) {
    const all = merged.get(name) ?? new Map<string, number>();
    merged.set(name, all);
    for (const [status, times] of tally) all.set(status, (all.get(status) ?? 0) + times);
  }
  return merged;
}
