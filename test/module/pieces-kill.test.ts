import { spawn } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { generator } from "../helpers/e2e-random.ts";
import { type Nginx, sanitizing, withNginx } from "../helpers/nginx.ts";
import { openSizes, pieceHead, piecesSite, readState, segmentHead, sendPiece, sha256 } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange, WireClient } from "../helpers/wire.ts";

const MiB = 1024 * 1024;
/** One that is killed has its port for a moment more, and the next one tries again. */
const expectLog = /exited on signal 9|bind\(\) to .* failed \(98/;

/** What the server says when it is asked with a piece of nothing. */
async function offsetOf(nginx: Nginx, path: string, bytes: Buffer): Promise<number> {
  expect((await sendPiece(nginx.port, path, bytes, 0, 0)).status).toBe(200);
  return Number(fieldOf(nginx.passed.at(-1), "offset"));
}

async function killWorkers(nginx: Nginx, victims: readonly number[]): Promise<void> {
  const { length } = nginx.workers();
  for (const pid of victims) process.kill(pid, "SIGKILL");
  await nginx.until(() => nginx.workers().length === length && !nginx.workers().some((pid) => victims.includes(pid)), "other workers");
}

describe("module: a worker that is killed in the middle of a large piece", () => {
  it.each(["default", "off"])("loses what came in about a second, upload_thread_pool %s", async (pool) => {
    await withNginx(piecesSite({ expectLog, workers: 2 }, `upload_thread_pool ${pool};`), async (nginx) => {
      const path = `${nginx.store}/file`;
      const bytes = randomBytes(90 * MiB);
      const client = await WireClient.open(nginx.port);
      client.write(Buffer.concat([pieceHead(path, 0, bytes.length, [`X-Length: ${bytes.length}`]), bytes.subarray(0, 40 * MiB)]));
      await nginx.until(() => existsSync(`${path}.state`) && readState(`${path}.state`).ranges[0]?.[1] === 40 * MiB, "40 MiB to count");
      client.write(bytes.subarray(40 * MiB, 70 * MiB));
      await nginx.until(() => existsSync(path) && statSync(path).size > 69 * MiB, "70 MiB");
      await killWorkers(nginx, nginx.workers());
      await client.closed();
      const state = readState(`${path}.state`);
      expect(state.ranges).toHaveLength(1);
      expect(state.ranges[0]![1]).toBeGreaterThanOrEqual(40 * MiB);
      expect(state.hashed).toBe(state.ranges[0]![1]);
      const offset = await offsetOf(nginx, path, bytes);
      expect(offset).toBe(state.ranges[0]![1]);
      expect((await sendPiece(nginx.port, path, bytes, offset)).status).toBe(200);
      expect(fieldOf(nginx.passed.at(-1), "outcome")).toBe("complete");
      expect(fieldOf(nginx.passed.at(-1), "sha256")).toBe(sha256(bytes));
      expect(readFileSync(path).equals(bytes)).toBe(true);
    });
  });
});

describe("module: a worker that is killed while the last segment comes once more", () => {
  it.each(["same", "other"])("leaves no file without an owner, %s bytes", async (which) => {
    await withNginx(piecesSite({ expectLog, workers: 1 }), async (nginx) => {
      const bytes = randomBytes(400_000);
      const again = which === "same" ? bytes : randomBytes(400_000);
      const head = segmentHead("s", 0, bytes.length, bytes.length);
      expect((await exchange(nginx.port, head, bytes)).status).toBe(200);
      const files = nginx.files();
      expect(files).toHaveLength(2);
      const client = await WireClient.open(nginx.port);
      client.write(Buffer.concat([head, again.subarray(0, 300_000)]));
      await nginx.until(() => openSizes(nginx).some((size) => size > 200_000), "some of it to be written");
      await killWorkers(nginx, nginx.workers());
      await client.closed();
      expect(nginx.files()).toEqual(files);
      expect((await exchange(nginx.port, head, again)).status).toBe(200);
      expect(fieldOf(nginx.passed.at(-1), "sha256")).toBe(sha256(again));
      expect(readFileSync(fieldOf(nginx.passed.at(-1), "path")!).equals(again)).toBe(true);
      expect(nginx.files()).toHaveLength(which === "same" ? 2 : 3);
    });
  });
});

type Random = ReturnType<typeof generator>;

/** Sends a request by and by. @returns its status, or undefined when the connection broke */
async function slowly(nginx: Nginx, random: Random, head: Buffer, body: Buffer): Promise<number | undefined> {
  const client = await WireClient.open(nginx.port).catch(() => undefined);
  try {
    client?.write(head);
    for (let at = 0; at < body.length; at += 15_000) {
      client?.write(body.subarray(at, at + 15_000));
      if (random.integer(0, 3) === 0) await sleep(1);
    }
    return (await client?.answer())?.status;
  } catch {
    return undefined;
  } finally {
    client?.destroy();
  }
}

/** Kills what it picks, a while after something began. */
async function killSoon(nginx: Nginx, random: Random): Promise<void> {
  await sleep(random.integer(0, 12));
  const workers = nginx.workers();
  await killWorkers(nginx, random.integer(0, 1) === 0 ? workers : workers.filter(() => random.integer(0, 1) === 0));
}

/** Kills master and workers, and starts nginx again as it was, though without sanitizers. */
async function killAll(nginx: Nginx): Promise<() => Promise<void>> {
  const old = [nginx.master, ...nginx.workers()];
  for (const pid of old) process.kill(pid, "SIGKILL");
  const child = spawn("nginx", ["-e", `${nginx.folder}/error.log`, "-c", `${nginx.folder}/nginx.conf`], { stdio: "ignore" });
  const ended = once(child, "exit");
  await nginx.until(() => nginx.master === child.pid && nginx.workers().length === 4, "another nginx");
  return async () => {
    child.kill("SIGQUIT");
    await ended;
  };
}

const SIZE = 180_000;

/** Brings a file in segments, in any order, each until it is taken. */
async function bringRanged(nginx: Nginx, random: Random, name: string, bytes: Buffer): Promise<void> {
  const cuts = [0, ...Array.from({ length: 4 }, () => random.integer(1, SIZE - 1)).sort((a, b) => a - b), SIZE];
  const segments = cuts.slice(1).map((to, i) => [cuts[i]!, to] as const).filter(([from, to]) => from < to);
  for (let last: number | undefined; last !== 200; ) {
    for (const [from, to] of segments.sort(() => random.integer(0, 1) - 0.5)) {
      last = undefined;
      for (let attempt = 0; last !== 200 && last !== 201; attempt++) {
        if (attempt > 200) throw new Error(`${name} from ${from}: ${last}`);
        last = await slowly(nginx, random, segmentHead(name, from, to, SIZE), bytes.subarray(from, to));
      }
      if (last === 200) break;
    }
  }
}

/** Brings a file to a path, going on from where the server says. */
async function bringRaw(nginx: Nginx, random: Random, name: string, bytes: Buffer): Promise<void> {
  const path = `${nginx.store}/${name}`;
  const length = [`X-Length: ${SIZE}`];
  for (let attempt = 0; attempt < 400; attempt++) {
    if ((await slowly(nginx, random, pieceHead(path, 0, 0, length), Buffer.alloc(0))) !== 200) continue;
    const report = nginx.passed.findLast((passed) => fieldOf(passed, "path") === path);
    const offset = Number(fieldOf(report, "offset"));
    if (offset === SIZE) return;
    const to = Math.min(SIZE, offset + random.integer(1, SIZE / 2));
    await slowly(nginx, random, pieceHead(path, offset, to - offset, length), bytes.subarray(offset, to));
  }
  throw new Error(`${name} did not come to its end`);
}

describe("module: uploads in pieces and kills at any moment", () => {
  it.each([1, 2, 3, 4])("come to their end whole, and leave no file without an owner, seed %d", async (seed) => {
    const random = generator(seed);
    await withNginx(piecesSite({ expectLog, workers: 4 }), async (nginx) => {
      let restarted: (() => Promise<void>) | undefined;
      try {
        const files = new Map<string, Buffer>();
        for (let round = 0; round < 14; round++) {
          const name = `f${round}`;
          const bytes = randomBytes(SIZE);
          const bring = round % 2 === 0 ? bringRanged : bringRaw;
          const kills = async (): Promise<void> => {
            for (let i = random.integer(1, 3); i > 0; i--) await killSoon(nginx, random);
          };
          await Promise.all([bring(nginx, random, name, bytes), kills()]);
          files.set(name, bytes);
          if (round === 7 && !sanitizing) restarted = await killAll(nginx);
        }
        expectWholeAndOwned(nginx, files);
        expect(nginx.log().match(/exited on signal 9/g)!.length).toBeGreaterThan(14);
      } finally {
        await restarted?.();
      }
    });
  }, 120_000);
});

/** Every file came whole, its digest was never said wrong, and what else is in the store is a state. */
function expectWholeAndOwned(nginx: Nginx, files: ReadonlyMap<string, Buffer>): void {
  const whole = nginx.passed.filter((passed) => fieldOf(passed, "outcome") === "complete");
  const paths = new Map(whole.map((passed) => [fieldOf(passed, "path")!, fieldOf(passed, "sha256")!]));
  const nameOf = (path: string): string => path.slice(nginx.store.length + 1).split(".")[0]!;
  expect([...new Set([...paths.keys()].map(nameOf))].sort()).toEqual([...files.keys()].sort());
  for (const [path, digest] of paths) {
    const bytes = files.get(nameOf(path))!;
    expect(digest, path).toBe(sha256(bytes));
    expect(readFileSync(path).equals(bytes), path).toBe(true);
  }
  expect(nginx.files().filter((path) => !path.endsWith(".state") && !paths.has(path))).toEqual([]);
}
