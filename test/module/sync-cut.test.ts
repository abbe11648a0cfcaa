import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FaultyCalls } from "../helpers/faults.ts";
import { type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { pieceHead, piecesSite, readState, sendPiece } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { chunked, WireClient } from "../helpers/wire.ts";
import { isWrite, NotedWrites, type Sync, type Write } from "../helpers/writes.ts";

/** Bytes that a slow client writes at once. */
const STEP = 8192;

/** A buffer of the site: so much is written at once. */
const CHUNK = 65_536;
const whole = Buffer.from(Array.from({ length: 4 * CHUNK }, (_, i) => (i * 131 + (i >> 8)) & 0xff));
const length = [`X-Length: ${whole.length}`];

let notes: NotedWrites;
let calls: FaultyCalls;
beforeAll(() => {
  notes = new NotedWrites();
  calls = FaultyCalls.build();
});
afterAll(() => {
  notes.remove();
  calls.remove();
});

const site = (pool: string, more: Partial<NginxOptions>, directives = ""): NginxOptions => piecesSite({ workers: 1, ...more }, `upload_thread_pool ${pool}; ${directives}`);

/** The head of a piece of unknown length, and the bytes of its file in chunks, without an end. */
const start = (path: string): Buffer => Buffer.concat([pieceHead(path, 0, null, [...length, "Transfer-Encoding: chunked"]), chunked(whole, CHUNK).subarray(0, -5)]);

/** Sends at once, lest any of it counts before its end, a piece that turns out to be too long behind the last byte of its file. */
async function cut(nginx: Nginx, path: string): Promise<void> {
  const client = await WireClient.open(nginx.port);
  client.write(Buffer.concat([start(path), chunked(Buffer.from("more"), 4)]));
  expect((await client.answer()).status).toBe(413);
  client.destroy();
}

/** What counts of the file that {@link cut} has left: it has no gap, and nobody writes. */
function counted(path: string): number {
  const { ranges, claims, complete } = readState(`${path}.state`);
  expect([ranges.length, ranges[0]?.[0], claims, complete]).toEqual([1, 0, 0, false]);
  return ranges[0]![1];
}

/** What was noted of a file. */
const notesOf = (path: string, name: string): (Write | Sync)[] => notes.read(name).filter(({ file }) => file === statSync(path).ino);

const durable = { file: expect.any(Number) };

describe.each(["default", "off"])("module: what counts of a piece that is cut off is durable, upload_thread_pool %s", (pool) => {
  it("too long", async () => {
    const name = `cut ${pool}`;
    await withNginx(site(pool, notes.options(name)), async (nginx) => {
      const path = `${nginx.store}/file`;
      await cut(nginx, path);
      expect(counted(path)).toBeGreaterThan(0);
      expect(notesOf(path, name).at(-1)).toEqual(durable);
    });
  });

  it("nginx stops", async () => {
    const name = `stop ${pool}`;
    await withNginx(site(pool, notes.options(name)), async (nginx) => {
      const path = `${nginx.store}/file`;
      const client = await WireClient.open(nginx.port);
      const bytes = start(path);
      // It never falls silent, which would make it count.
      for (let at = 0; at < bytes.length && !(existsSync(path) && statSync(path).size > 0); at += STEP) {
        client.write(bytes.subarray(at, at + STEP));
        await sleep(10);
      }
      process.kill(nginx.master, "SIGTERM");
      await client.closed();
      await nginx.until(() => readState(`${path}.state`).claims === 0, "the piece to count");
      expect(counted(path)).toBeGreaterThan(0);
      expect(notesOf(path, name).at(-1)).toEqual(durable);
    });
  });

  it("with upload_sync off nothing waits for the disk", async () => {
    const name = `off ${pool}`;
    await withNginx(site(pool, notes.options(name), "upload_sync off;"), async (nginx) => {
      const path = `${nginx.store}/file`;
      await cut(nginx, path);
      expect((await sendPiece(nginx.port, path, whole, counted(path))).status).toBe(200);
      expect(fieldOf(nginx.passed.at(-1), "outcome")).toBe("complete");
      expect(notesOf(path, name).filter((note) => !isWrite(note))).toEqual([]);
    });
  });

  it("a disk that fails: it does not count, and comes again", async () => {
    await withNginx(site(pool, { ...calls.options, expectLog: /upload: / }), async (nginx) => {
      const path = `${nginx.store}/file`;
      calls.arm({ kinds: ["sync"], nth: 1, error: "EIO" });
      await cut(nginx, path);
      expect(calls.hit).toBe(1);
      expect(readState(`${path}.state`)).toMatchObject({ ranges: [], claims: 0, hashed: 0 });
      expect((await sendPiece(nginx.port, path, whole, 0)).status).toBe(200);
      expect(fieldOf(nginx.passed.at(-1), "outcome")).toBe("complete");
      expect(readFileSync(path).equals(whole)).toBe(true);
    });
  });
});

describe("module: an empty last piece", () => {
  it.each(["default", "off"])("makes durable what others have put there, upload_thread_pool %s", async (pool) => {
    const name = `others ${pool}`;
    const heard: (Write | Sync)[][] = [];
    await withNginx(site(pool, { ...notes.options(name), answer: () => (heard.push(notes.read(name)), {}) }), async (nginx) => {
      const path = `${nginx.store}/file`;
      writeFileSync(path, whole, { mode: 0o600 });
      expect((await sendPiece(nginx.port, path, whole, whole.length)).status).toBe(200);
      expect(fieldOf(nginx.passed.at(-1), "outcome")).toBe("complete");
      expect(heard).toEqual([[{ file: statSync(path).ino }]]);
    });
  });
});
