import { createHash, randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { withNginx } from "../helpers/nginx.ts";
import { digestField, piecesSite, readState, sendPiece, sha256 } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange, post, type WireAnswer } from "../helpers/wire.ts";

const site = (directives = ""): ReturnType<typeof piecesSite> =>
  piecesSite({}, `upload_raw_digest $http_x_digest; add_header X-Outcome "$upload_outcome" always; ${directives}`);

const algorithms: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  md5: (bytes) => createHash("md5").update(bytes).digest(),
  sha: (bytes) => createHash("sha1").update(bytes).digest(),
  "sha-256": (bytes) => createHash("sha256").update(bytes).digest(),
  "sha-512": (bytes) => createHash("sha512").update(bytes).digest(),
  crc32: (bytes) => {
    const value = Buffer.alloc(4);
    value.writeUInt32BE(crc32(bytes));
    return value;
  },
};

/** A header for `upload_raw_digest`. */
const told = (name: string, bytes: Buffer): string => `X-Digest: ${name}=:${algorithms[name]!(bytes).toString("base64")}:`;

const kept = (path: string): object => {
  const { ranges, complete, hashed, claims } = readState(`${path}.state`);
  return { ranges, complete, hashed, claims, size: statSync(path).size, sha256: sha256(readFileSync(path)) };
};

describe.each(Object.keys(algorithms))("module: upload_raw_digest with %s", (name) => {
  it.each(["default", "off"])("keeps a piece that agrees, and takes back one that does not, upload_thread_pool %s", async (pool) => {
    await withNginx(site(`upload_thread_pool ${pool};`), async ({ port, store, passed }) => {
      const path = `${store}/file`;
      const bytes = randomBytes(600_000);
      const other = Buffer.from(bytes).fill("x");
      const send = (from: number, to: number, sent = bytes): Promise<WireAnswer> => sendPiece(port, path, sent, from, to, [told(name, bytes.subarray(from, to))]);
      expect((await send(0, 200_000)).status).toBe(200);
      const before = kept(path);
      for (const [from, to] of [[200_000, 400_000], [100_000, 600_000], [200_000, 200_001]] as const) {
        const answer = await send(from, to, other);
        expect([answer.status, answer.headers["x-outcome"]]).toEqual([400, "mismatch"]);
        expect(kept(path)).toEqual(before);
      }
      expect((await send(200_000, 600_000)).headers["x-outcome"]).toBe("complete");
      expect(fieldOf(passed.at(-1), "sha256")).toBe(sha256(bytes));
      expect(readFileSync(path).equals(bytes)).toBe(true);
    });
  });

  it("keeps nothing of a new file that differs", async () => {
    await withNginx(site(), async ({ port, files }) => {
      const bytes = randomBytes(100_000);
      const put = (extra: string): Promise<WireAnswer> => exchange(port, post("/new", bytes, { method: "PUT", extra: [extra] }));
      const refused = await put(told(name, Buffer.from("other")));
      expect([refused.status, refused.headers["x-outcome"], files()]).toEqual([400, "mismatch", []]);
      expect((await put(told(name, bytes))).status).toBe(200);
    });
  });
});

describe("module: upload_raw_digest", () => {
  it.each(["sha-1=:AAAA:", "sha-256=:AAAA:", "crc32=:AAA=:", "sha", "crc32=1", "md5=:AAAA", "sha-256"])("refuses what it cannot compare before anything is written: %s", async (value) => {
    await withNginx({ ...site(), keepsFiles: false }, async ({ port, store }) => {
      expect((await sendPiece(port, `${store}/file`, Buffer.alloc(10), 0, 10, [`X-Digest: ${value}`])).status).toBe(400);
    });
  });

  it("goes with Content-Digest and Repr-Digest: each must agree", async () => {
    await withNginx(site(), async ({ port, store, files }) => {
      const path = `${store}/file`;
      const bytes = randomBytes(100_000);
      const wrong = Buffer.from("other");
      const send = (one: Buffer, two: Buffer, whole: Buffer): Promise<WireAnswer> =>
        sendPiece(port, path, bytes, 0, bytes.length, [told("md5", one), `Content-Digest: ${digestField(two)}`, `Repr-Digest: ${digestField(whole, "sha-512")}`]);
      for (const [one, two, whole] of [[wrong, bytes, bytes], [bytes, wrong, bytes], [bytes, bytes, wrong]] as const) {
        const answer = await send(one, two, whole);
        expect([answer.status, answer.headers["x-outcome"], files()]).toEqual([400, "mismatch", []]);
      }
      expect((await send(bytes, bytes, bytes)).status).toBe(200);
    });
  });

  it("asks for nothing when it is empty", async () => {
    await withNginx(site(), async ({ port, store }) => {
      expect((await sendPiece(port, `${store}/file`, Buffer.from("abc"), 0, 3, ["X-Digest: "])).status).toBe(200);
      expect((await sendPiece(port, `${store}/other`, Buffer.from("abc"), 0, 3)).status).toBe(200);
    });
  });
});
