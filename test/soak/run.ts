/** Many uploads in progress at once, for long: what the site's memory does meanwhile. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processTree, residentBytes } from "../../bench/proc.ts";
import { resumingDialects } from "../helpers/dialects.ts";
import { openRequest, send, type Wire } from "../helpers/e2e-client.ts";
import { sha256 } from "../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite } from "../helpers/e2e-local.ts";

const MiB = 1024 * 1024;
/** Bytes of an upload in a round, and milliseconds of a round. */
const CHUNK = 2048;
const ROUND_MS = 2000;
/** Bytes that each upload sends at once when it begins: both of nginx's buffers have been full then. */
const FIRST = 2 * MiB + 256 * 1024;
/** Uploads are pieces of the same random bytes, each from so many bytes on. */
const SHIFT = 512;
/** A round's uploads are sent to in so many steps, so that the load is even. */
const STEPS = 20;
/** Memory may grow by as much from a third of the time to its end: what an allocator gathers, but no leak of 1,000 uploads. */
const MOST_GROWTH = 16 * MiB;

export interface Sample {
  readonly second: number;
  /** Resident bytes of nginx's workers together, and of the service. */
  readonly nginx: number;
  readonly service: number;
  /** Connections of uploads that are open. */
  readonly open: number;
}

export interface SoakOptions {
  readonly sessions: number;
  readonly seconds: number;
  /** Called every ten seconds. */
  readonly sampled: (sample: Sample) => void;
}

export interface SoakReport {
  readonly sessions: number;
  /** Uploads that were answered, filed, and have the bytes that were sent. */
  readonly whole: number;
  /** Bytes that the memory grew by from a third of the time to its end. */
  readonly growth: { readonly nginx: number; readonly service: number };
  readonly findings: readonly string[];
}

interface Upload {
  readonly bytes: Buffer;
  readonly connection: Wire;
}

async function begin(site: LocalTestSite, bytes: Buffer): Promise<Upload> {
  const [tus] = resumingDialects;
  const created = tus!.create(bytes.length);
  const { headers } = await send(site, created.path, created);
  const connection = await openRequest(site, tus!.append(new URL(headers["location"] ?? "", site.url).pathname, 0, bytes.length, bytes.length));
  await new Promise<void>((resolve) => connection.socket.write(bytes.subarray(0, FIRST), () => resolve()));
  return { bytes, connection };
}

function sample(site: LocalTestSite, second: number, uploads: readonly Upload[]): Sample {
  const { nginx, service } = site.site.pids;
  const [, ...workers] = processTree(nginx ?? 0);
  return {
    second,
    nginx: workers.reduce((sum, pid) => sum + residentBytes(pid), 0),
    service: residentBytes(service ?? 0),
    open: uploads.filter(({ connection }) => !connection.socket.destroyed).length,
  };
}

/** Sends the uploads on in small pieces until all is sent. */
async function drip(site: LocalTestSite, uploads: readonly Upload[], rounds: number, sampled: (sample: Sample) => void): Promise<Sample[]> {
  const samples: Sample[] = [];
  const began = Date.now();
  for (let round = 0; round < rounds; round++) {
    // Before its bytes: those of the last round end the uploads, which is work of another kind.
    if ((round + 1) % 5 === 0) {
      samples.push(sample(site, Math.round((Date.now() - began) / 1000), uploads));
      sampled(samples.at(-1)!);
    }
    for (let step = 0; step < STEPS; step++) {
      for (let index = step; index < uploads.length; index += STEPS) {
        const { bytes, connection } = uploads[index]!;
        connection.write(bytes.subarray(FIRST + round * CHUNK, FIRST + (round + 1) * CHUNK));
      }
      await sleep(Math.max(0, began + round * ROUND_MS + ((step + 1) * ROUND_MS) / STEPS - Date.now()));
    }
  }
  return samples;
}

function filedWhole(site: LocalTestSite, uploads: readonly Upload[]): number {
  const filed = new Set(site.kept().rows.filter(({ state }) => state === "complete").map(({ target }) => sha256(readFileSync(join(site.site.store, "files", target)))));
  return uploads.filter(({ bytes }) => filed.has(sha256(bytes))).length;
}

/** Runs it against a site of its own. */
export async function soak({ sessions, seconds, sampled }: SoakOptions): Promise<SoakReport> {
  const rounds = Math.ceil((seconds * 1000) / ROUND_MS);
  const site = await startTestSite({});
  try {
    const uploads: Upload[] = [];
    const pool = randomBytes(FIRST + rounds * CHUNK + sessions * SHIFT);
    for (let at = 0; at < sessions; at += 10) {
      const some = Array.from({ length: Math.min(10, sessions - at) }, (_, index) => begin(site, pool.subarray((at + index) * SHIFT, (at + index) * SHIFT + FIRST + rounds * CHUNK)));
      uploads.push(...(await Promise.all(some)));
    }
    const samples = await drip(site, uploads, rounds, sampled);
    const answers = await Promise.all(uploads.map(({ connection }) => connection.answer().then(({ status }) => status, () => 0)));
    const whole = filedWhole(site, uploads);
    const settled = samples[Math.floor(samples.length / 3)];
    const last = samples.at(-1);
    const growth = settled === undefined || last === undefined ? { nginx: 0, service: 0 } : { nginx: last.nginx - settled.nginx, service: last.service - settled.service };
    const unanswered = answers.filter((status) => status !== 204).length;
    const findings = [
      ...(unanswered > 0 ? [`${unanswered} uploads were not answered with 204`] : []),
      ...(whole < sessions ? [`${sessions - whole} uploads are not whole`] : []),
      ...Object.entries(growth).filter(([, bytes]) => bytes > MOST_GROWTH).map(([name, bytes]) => `${name} grew by ${bytes} bytes`),
    ];
    for (const { connection } of uploads) connection.destroy();
    return { sessions, whole, growth, findings };
  } finally {
    await site.stop();
  }
}
