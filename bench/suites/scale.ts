import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../../scripts/core/problem.ts";
import { nginxCore } from "../contestants/nginx-core.ts";
import type { Digest } from "../contestants/ours.ts";
import { sinks } from "../contestants/sink.ts";
import { type Flood, probe, startFlood } from "../flood.ts";
import { compareStored, plainFiles, retireFiles, writeRandom } from "../ground.ts";
import { withModule, withPeak } from "../module-run.ts";
import { Entry, type Outcome, runRounds } from "../rounds.ts";
import type { Session } from "../session.ts";
import { quantile } from "../statistics.ts";

/** So many uploads at once, of such a size. */
export interface Load {
  readonly uploads: number;
  readonly bytesEach: number;
  readonly buffer: "64k" | "1m";
  readonly digest: Digest;
  /** Who else takes them, by its name in the suite `speed`; its body is the file alone. @default our module */
  readonly rival?: Rival;
}

export type Rival = "sink" | "sink sha256" | "nginx body to file";

export interface LoadRun {
  readonly round: number;
  readonly seconds: number;
  /** What as many files take that are just written, without any server. */
  readonly plainSeconds: number;
  /** Rise of the worker's resident memory, all uploads together. */
  readonly peakBytes: number;
}

export interface LoadResult extends Load, Outcome<LoadRun> {}

/** Answer times of a small GET, seconds. */
export interface LatencyRun {
  readonly round: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

export interface LatencyResult extends Outcome<LatencyRun> {
  /** Uploads with SHA-256 beside the GETs. */
  readonly uploads: number;
  readonly gets: number;
}

export interface ScaleReport {
  readonly suite: "scale";
  readonly loads: readonly LoadResult[];
  readonly latencies: readonly LatencyResult[];
  /** What was left out, and why. */
  readonly leftOut: readonly string[];
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const INPUT_BYTES = 64 * MIB;
const GETS = 2000;
const UPLOADS_BESIDE = 3;
const WARM_UP_MS = 1000;
/** Room that stays free on the disk. */
const RESERVE_BYTES = 8 * GIB;
/** Above it a load is measured in one round only: it takes minutes. */
const LARGE_BYTES = 16 * GIB;
/** An upload of this size does not end while GETs are measured. */
const ENDLESS_BYTES = 16 * GIB;

const totalOf = ({ uploads, bytesEach }: Load): number => uploads * bytesEach;

/** Every load that is asked for, and for each the same total in one upload. */
export function planLoads(totalBytes: number, eachBytes: number): Load[] {
  const together = (["64k", "1m"] as const).flatMap((buffer) =>
    (["none", "sha256"] as const).flatMap((digest) =>
      [1, 100, 1000].map((uploads) => ({ uploads, bytesEach: Math.floor(totalBytes / 1000) * (1000 / uploads), buffer, digest })),
    ),
  );
  // What the same load does to others tells what of it is due to the load.
  const rivals = ([["sink", "none"], ["sink sha256", "sha256"], ["nginx body to file", "none"]] as const).flatMap(([rival, digest]) =>
    together.filter((load) => load.buffer === "1m" && load.digest === digest).map((load) => ({ ...load, rival })),
  );
  const many = { buffer: "64k", digest: "none" } as const;
  const large = [100, 1000].flatMap((uploads) => [
    { ...many, uploads: 1, bytesEach: uploads * eachBytes },
    { ...many, uploads, bytesEach: eachBytes },
  ]);
  return [...together, ...rivals, ...(eachBytes === 0 ? [] : large)];
}

/** A load in words. */
export const loadName = ({ uploads, bytesEach, buffer, digest, rival }: Load): string =>
  `${rival === undefined ? "" : `${rival}: `}${uploads} x ${(bytesEach / MIB).toFixed(2)} MiB, buffers ${buffer}, ${digest === "none" ? "no digest" : digest}`;

/** A measurement beside uploads in words. */
export const latencyName = (uploads: number): string => `GETs beside ${uploads} uploads with SHA-256`;

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** What a load is sent to. */
interface Taker {
  readonly port: number;
  readonly worker: number;
  readonly store: string;
}

async function withTaker<T>(session: Session, { buffer, digest, rival }: Load, body: (taker: Taker) => Promise<T>): Promise<T> {
  if (rival === undefined) return withModule(session, { entrance: "form", digest, sync: false, buffer }, ({ port, worker }, store) => body({ port, worker, store }));
  const place = await session.ground.place(rival);
  const running = await [...sinks, ...nginxCore].find(({ group, name }) => group === "http" && name === rival)!.start(place);
  session.cleanup.add(() => running.stop());
  try {
    return await body({ port: running.port, worker: running.pids().at(-1)!, store: place.store });
  } finally {
    await running.stop();
    await retireFiles(place.store);
  }
}

async function measureLoad(session: Session, load: Load, input: string, round: number): Promise<LoadRun> {
  const { uploads, bytesEach, rival } = load;
  const { store: plain } = await session.ground.place("plain");
  const plainSeconds = await plainFiles(plain, uploads, bytesEach, input);
  const entrance = rival === undefined ? "form" : "raw";
  return withTaker(session, load, async (taker) => {
    const { result, peakBytes } = await withPeak(taker, async () => {
      const flood = await startFlood({ port: taker.port, entrance, connections: uploads, uploads, bytes: bytesEach, file: input });
      return flood.ended;
    });
    if (result.answered !== uploads) throw new Problem(`flood: ${uploads} uploads were sent, ${result.answered} were answered 200; ${result.errors}`);
    await compareStored(taker.store, input, bytesEach, uploads);
    return { round, seconds: result.seconds, plainSeconds, peakBytes };
  });
}

async function measureLatency(session: Session, uploads: number, input: string, round: number): Promise<LatencyRun> {
  const bytes = Math.floor(Math.min(ENDLESS_BYTES, ((await freeBytes(session.ground.folder)) * 0.8) / UPLOADS_BESIDE));
  return withModule(session, { entrance: "form", digest: "sha256", sync: false }, async ({ port }) => {
    let flood: Flood | undefined;
    try {
      if (uploads > 0) flood = await startFlood({ port, connections: uploads, uploads, bytes, file: input });
      await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
      const times = await probe(port, "/get", GETS);
      if (flood?.running === false) throw new Problem("flood: the uploads ended before the GETs did; free some disk, so that they can be longer");
      return { round, p50: quantile(times, 0.5), p99: quantile(times, 0.99), most: Math.max(...times) };
    } finally {
      await flood?.stop();
    }
  });
}

const ms = (seconds: number): string => `${(seconds * 1e3).toFixed(2)} ms`;

/** Many uploads at once, and small requests beside some. */
export async function runScale(session: Session): Promise<ScaleReport> {
  const { options, ground } = session;
  const input = join(ground.folder, "input.bin");
  await writeRandom(input, INPUT_BYTES);
  const room = (await freeBytes(ground.folder)) - RESERVE_BYTES;
  const planned = planLoads(options.sizeBytes, options.eachBytes).filter((load) => options.only.test(loadName(load)));
  const leftOut = planned
    .filter((load) => totalOf(load) > room)
    .map((load) => `${loadName(load)}: needs ${(totalOf(load) / GIB).toFixed(1)} GiB of disk, ${(room / GIB).toFixed(1)} GiB may be used`);
  for (const line of leftOut) session.say(`LEFT OUT ${line}`);

  const loads = planned
    .filter((load) => totalOf(load) <= room)
    .map((load) => ({
      load,
      entry: new Entry(
        session,
        loadName(load),
        (round) => measureLoad(session, load, input, round),
        (run) => `${run.seconds.toFixed(3)} s (files alone ${run.plainSeconds.toFixed(3)} s), memory +${(run.peakBytes / MIB).toFixed(1)} MiB`,
        totalOf(load) > LARGE_BYTES ? 1 : options.rounds,
      ),
    }));
  const latencies = [0, UPLOADS_BESIDE]
    .filter((uploads) => options.only.test(latencyName(uploads)))
    .map((uploads) => ({
      uploads,
      entry: new Entry(
        session,
        latencyName(uploads),
        (round) => measureLatency(session, uploads, input, round),
        (run) => `median ${ms(run.p50)}, p99 ${ms(run.p99)}, longest ${ms(run.most)}`,
      ),
    }));

  await runRounds(session, [...loads, ...latencies].map(({ entry }) => entry));
  return {
    suite: "scale",
    loads: loads.map(({ load, entry }) => ({ ...load, ...entry.outcome })),
    latencies: latencies.map(({ uploads, entry }) => ({ uploads, gets: GETS, ...entry.outcome })),
    leftOut,
  };
}
