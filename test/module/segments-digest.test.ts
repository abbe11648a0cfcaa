import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { digestField, piecesSite, readState, sha256 } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange, head, type WireAnswer } from "../helpers/wire.ts";

const SIZE = 300_000;
const bytes = randomBytes(SIZE);
const wrong = digestField(Buffer.from("something else"));

function send({ port }: Nginx, from: number, to: number, digest: string, sent = bytes): Promise<WireAnswer> {
  const extra = ["Session-ID: told", `Content-Range: bytes ${from}-${to - 1}/${SIZE}`, `Content-Digest: ${digest}`];
  return exchange(port, head("/ranged", { type: "application/octet-stream", length: to - from, extra }), sent.subarray(from, to));
}

const of = (from: number, to: number, algorithm?: "sha-512"): string => digestField(bytes.subarray(from, to), algorithm);
const states = (store: string): string[] => readdirSync(store).filter((name) => name.endsWith(".state"));
const ranges = (store: string): unknown => readState(`${store}/${states(store)[0]}`).ranges;

describe("module: a ranged segment with a Content-Digest", () => {
  it("counts when it is what the digest says, and leaves nothing when it is not: first, in the middle, last and again", async () => {
    await withNginx(piecesSite(), async (nginx) => {
      const { store, passed } = nginx;
      expect((await send(nginx, 0, 100_000, wrong)).status).toBe(400);
      expect(readdirSync(store)).toEqual([]);
      expect((await send(nginx, 0, 100_000, of(0, 100_000))).status).toBe(201);

      expect((await send(nginx, 100_000, 200_000, of(100_000, 200_000), Buffer.alloc(SIZE))).status).toBe(400);
      expect((await send(nginx, 50_000, 200_000, wrong)).status).toBe(400);
      expect(ranges(store)).toEqual([[0, 100_000]]);
      expect((await send(nginx, 200_000, SIZE, of(200_000, SIZE, "sha-512"))).status).toBe(201);

      expect((await send(nginx, 100_000, 200_000, `${of(100_000, 200_000)}, ${digestField(bytes, "sha-512")}`)).status).toBe(400);
      expect(ranges(store)).toEqual([[0, 100_000], [200_000, SIZE]]);
      expect(passed).toHaveLength(0);
      expect((await send(nginx, 100_000, 200_000, of(100_000, 200_000))).status).toBe(200);
      expect(fieldOf(passed.at(-1), "sha256")).toBe(sha256(bytes));

      expect((await send(nginx, 100_000, 200_000, wrong)).status).toBe(400);
      expect(passed).toHaveLength(1);
      expect((await send(nginx, 100_000, 200_000, of(100_000, 200_000))).status).toBe(200);
      expect(passed).toHaveLength(2);
      expect(readFileSync(fieldOf(passed.at(-1), "path") ?? "").equals(bytes)).toBe(true);
    });
  });

  it("is the whole file: refused, nothing is left, and the same session begins anew", async () => {
    await withNginx(piecesSite(), async (nginx) => {
      expect((await send(nginx, 0, SIZE, of(0, SIZE), Buffer.alloc(SIZE))).status).toBe(400);
      expect([readdirSync(nginx.store), nginx.passed.length]).toEqual([[], 0]);
      expect((await send(nginx, 0, SIZE, of(0, SIZE))).status).toBe(200);
      expect(fieldOf(nginx.passed.at(-1), "sha256")).toBe(sha256(bytes));
    });
  });

  it("ignores algorithms that it does not know, and refuses what is malformed before it is written", async () => {
    await withNginx(piecesSite(), async (nginx) => {
      for (const malformed of ["sha-256", "sha-256=:AAAA:", "sha-512=abc", `sha-512=:${createHash("sha256").digest("base64")}:`]) {
        expect((await send(nginx, 0, 100_000, malformed)).status, malformed).toBe(400);
      }
      expect(readdirSync(nginx.store)).toEqual([]);
      expect((await send(nginx, 0, 100_000, "blake3=:AAAA:, md5=:AAAA:")).status).toBe(201);
    });
  });
});
