import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { generator } from "../helpers/e2e-random.ts";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { digestField, pieceHead, piecesSite, readState, segmentHead, sendPiece, sha256 } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange, WireClient } from "../helpers/wire.ts";

const SIZE = 1_000_000;
const CLIENTS = 12;

type Random = ReturnType<typeof generator>;

interface Piece {
  readonly head: Buffer;
  readonly body: Buffer;
  /** Bytes after which the client goes away; undefined: never. */
  readonly cut: number | undefined;
  /** Statuses that may be answered. */
  readonly allowed: readonly number[];
}

/** Sends a piece by and by. */
async function send(nginx: Nginx, random: Random, { head, body, cut, allowed }: Piece): Promise<void> {
  const client = await WireClient.open(nginx.port);
  try {
    client.write(head);
    const end = cut ?? body.length;
    for (let at = 0; at < end; ) {
      const to = Math.min(end, at + random.integer(1, 60_000));
      client.write(body.subarray(at, to));
      at = to;
      if (random.integer(0, 2) === 0) await sleep(random.integer(0, 4));
    }
    if (cut === undefined) expect(allowed).toContain((await client.answer()).status);
  } finally {
    client.destroy();
  }
}

function range(random: Random): [number, number] {
  const from = random.integer(0, SIZE - 1);
  return [from, Math.min(SIZE, from + random.integer(1, 200_000))];
}

/** A raw piece: whole, cut off, or one whose bytes are wrong, which its digest tells. */
function rawPiece(random: Random, path: string, bytes: Buffer): Piece {
  const [from, to] = range(random);
  const body = bytes.subarray(from, to);
  const field = (of: Buffer): string => `Content-Digest: ${digestField(of, random.integer(0, 1) === 0 ? "sha-256" : "sha-512")}`;
  const head = (extra: readonly string[]): Buffer => pieceHead(path, from, body.length, [`X-Length: ${SIZE}`, ...extra]);
  const kind = random.integer(0, 5);
  if (kind === 0) return { head: head([field(body)]), body: Buffer.alloc(body.length, "wrong"), cut: undefined, allowed: [400, 409] };
  if (kind === 1) return { head: head([]), body, cut: random.integer(0, body.length - 1), allowed: [] };
  return { head: head(kind === 2 ? [field(body)] : []), body, cut: undefined, allowed: [200, 409] };
}

function rangedPiece(random: Random, name: string, bytes: Buffer): Piece {
  const [from, to] = range(random);
  const cut = random.integer(0, 3) === 0 ? random.integer(0, to - from - 1) : undefined;
  return { head: segmentHead(name, from, to, SIZE), body: bytes.subarray(from, to), cut, allowed: [200, 201, 409] };
}

/** Many clients at once, each with so many pieces. */
async function storm(nginx: Nginx, seed: number, pieces: number, next: (random: Random) => Piece): Promise<void> {
  const one = async (number: number): Promise<void> => {
    const random = generator(seed * 1000 + number);
    for (let i = 0; i < pieces; i++) await send(nginx, random, next(random));
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => one(number)));
}

/** What counts of a file is what was sent. */
function expectRight(path: string, state: string, bytes: Buffer): void {
  const file = readFileSync(path);
  for (const [from, to] of readState(state).ranges) expect(file.subarray(from, to).equals(bytes.subarray(from, to)), `${from}-${to - 1}`).toBe(true);
}

describe.each([
  [1, "default"],
  [2, "default"],
  [3, "off"],
] as const)("module: pieces that overlap, are cut off, or wrong, seed %d, upload_thread_pool %s", (seed, pool) => {
  it("count only with the bytes that the file has, when they are raw", async () => {
    await withNginx(piecesSite({}, `upload_thread_pool ${pool};`), async (nginx) => {
      const path = `${nginx.store}/file`;
      const bytes = randomBytes(SIZE);
      expect((await sendPiece(nginx.port, path, bytes, 0, 1)).status).toBe(200);
      for (let round = 0; round < 4; round++) {
        await storm(nginx, seed * 10 + round, 5, (random) => rawPiece(random, path, bytes));
        await nginx.until(() => readState(`${path}.state`).claims === 0, "all to be given back");
        expectRight(path, `${path}.state`, bytes);
      }
      for (const passed of nginx.passed) {
        const offset = Number(fieldOf(passed, "offset"));
        if (fieldOf(passed, "sha256") !== "") expect(fieldOf(passed, "sha256")).toBe(sha256(bytes.subarray(0, offset)));
      }
      expect((await sendPiece(nginx.port, path, bytes, 0, SIZE, [`Repr-Digest: ${digestField(bytes)}`])).status).toBe(200);
      expect(readState(`${path}.state`)).toMatchObject({ complete: true, hashed: SIZE, ranges: [[0, SIZE]], claims: 0 });
      expect(readFileSync(path).equals(bytes)).toBe(true);
    });
  }, 60_000);

  it("count only with the bytes that the file has, when they are segments", async () => {
    await withNginx(piecesSite({}, `upload_thread_pool ${pool};`), async (nginx) => {
      for (let round = 0; round < 4; round++) {
        const bytes = randomBytes(SIZE);
        const name = `s${round}`;
        await storm(nginx, seed * 10 + round, 4, (random) => rangedPiece(random, name, bytes));
        await sleep(100);
        const before = nginx.passed.filter((passed) => fieldOf(passed, "path")!.includes(`/${name}.`)).length;
        const state = nginx.files().find((path) => path.startsWith(`${nginx.store}/${name}.`) && path.endsWith(".state"))!;
        expectRight(readState(state).path, state, bytes);
        if (before === 0) {
          for (const at of [0, SIZE / 2]) {
            const { status } = await exchange(nginx.port, segmentHead(name, at, at + SIZE / 2, SIZE), bytes.subarray(at, at + SIZE / 2));
            expect([200, 201]).toContain(status);
          }
        }
        const last = nginx.passed.at(-1);
        expect(fieldOf(last, "sha256")).toBe(sha256(bytes));
        expect(readFileSync(fieldOf(last, "path")!).equals(bytes)).toBe(true);
      }
    });
  }, 60_000);
});
