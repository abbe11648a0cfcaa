import { createHash, randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withNginx } from "../helpers/nginx.ts";
import { digestField, pieceHead, piecesSite, readState, sendPiece, sha256 } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { WireClient } from "../helpers/wire.ts";

const MiB = 1024 * 1024;

/** What a refused piece must not change. */
const kept = (path: string): object => {
  const { ranges, complete, hashed, claims, total } = readState(`${path}.state`);
  return { ranges, complete, hashed, claims, total, size: statSync(path).size, sha256: sha256(readFileSync(path)) };
};

/** Refuses what `send` sends, and checks that all is as before. */
async function refused(path: string, send: () => ReturnType<typeof sendPiece>): Promise<void> {
  const before = kept(path);
  expect((await send()).status).toBe(400);
  expect(kept(path)).toEqual(before);
}

const wrong = digestField(Buffer.from("something else"));

describe("module: a piece that differs from its digest", () => {
  it.each(["sha-256", "sha-512"] as const)("is not kept, %s, in the middle, behind a gap, and the last", async (algorithm) => {
    await withNginx(piecesSite(), async ({ port, store, passed }) => {
      const path = `${store}/file`;
      const bytes = randomBytes(400_000);
      const field = (name: string, of: Buffer): string[] => [`${name}: ${digestField(of, algorithm)}`];
      const other = Buffer.from(bytes).fill("x");
      const content = (from: number, to: number, sent = bytes): ReturnType<typeof sendPiece> => sendPiece(port, path, sent, from, to, field("Content-Digest", bytes.subarray(from, to)));
      expect((await content(0, 100_000)).status).toBe(200);
      await refused(path, () => content(100_000, 200_000, other));
      await refused(path, () => content(50_000, 200_000, other));
      expect((await content(50_000, 200_000)).status).toBe(200);
      await refused(path, () => sendPiece(port, path, bytes, 200_000, 400_000, field("Repr-Digest", other)));
      await refused(path, () => sendPiece(port, path, other, 200_000, 400_000, field("Repr-Digest", bytes)));
      // Both at once: the body is what it says, the whole is not.
      await refused(path, () => sendPiece(port, path, bytes, 200_000, 400_000, [...field("Content-Digest", bytes.subarray(200_000)), `Repr-Digest: ${wrong}`]));
      expect((await sendPiece(port, path, bytes, 200_000, 400_000, [...field("Content-Digest", bytes.subarray(200_000)), ...field("Repr-Digest", bytes)])).status).toBe(200);
      expect(fieldOf(passed.at(-1), "sha256")).toBe(sha256(bytes));
      expect(readFileSync(path).equals(bytes)).toBe(true);
    });
  });

  it("is not kept behind a gap, where others count already", async () => {
    await withNginx(piecesSite(), async ({ port, store, passed }) => {
      const path = `${store}/file`;
      const bytes = randomBytes(300_000);
      expect((await sendPiece(port, path, bytes, 0, 50_000)).status).toBe(200);
      const other = Buffer.from(bytes).fill("x");
      const ranges = (): unknown => readState(`${path}.state`).ranges;
      // The offset behind the end is refused only of a file that has no state.
      expect((await sendPiece(port, path, bytes, 200_000, 250_000)).status).toBe(200);
      const before = ranges();
      expect((await sendPiece(port, path, other, 100_000, 300_000, [`Content-Digest: ${wrong}`])).status).toBe(400);
      expect(ranges()).toEqual(before);
      expect(readFileSync(path).subarray(200_000, 250_000).equals(bytes.subarray(200_000, 250_000))).toBe(true);
      expect((await sendPiece(port, path, bytes, 50_000)).status).toBe(200);
      expect(fieldOf(passed.at(-1), "sha256")).toBe(sha256(bytes));
      expect(readFileSync(path).equals(bytes)).toBe(true);
    });
  });

  it("is not kept, of many MiB, before and after a checkpoint", async () => {
    await withNginx(piecesSite(), async ({ port, store, passed, until }) => {
      const path = `${store}/file`;
      const bytes = randomBytes(110 * MiB);
      expect((await sendPiece(port, path, bytes, 0, 36 * MiB + 5)).status).toBe(200);
      await refused(path, () => sendPiece(port, path, bytes, 36 * MiB + 5, 75 * MiB, [`Content-Digest: ${wrong}`]));
      // Without Content-Digest the piece is counted on its way; that the whole is wrong is known at its end only.
      await refused(path, async () => {
        const client = await WireClient.open(port);
        client.write(Buffer.concat([pieceHead(path, 36 * MiB + 5, bytes.length - 36 * MiB - 5, [`X-Length: ${bytes.length}`, `Repr-Digest: ${wrong}`]), bytes.subarray(36 * MiB + 5, 80 * MiB)]));
        await until(() => readState(`${path}.state`).ranges[0]?.[1] === 80 * MiB, "80 MiB to count");
        client.write(bytes.subarray(80 * MiB));
        return client.answer().finally(() => client.destroy());
      });
      expect((await sendPiece(port, path, bytes, 36 * MiB + 5, bytes.length, [`Repr-Digest: ${digestField(bytes, "sha-512")}`])).status).toBe(200);
      expect(fieldOf(passed.at(-1), "sha256")).toBe(sha256(bytes));
    });
  });

  it.each(["Content-Digest", "Repr-Digest"])("is not kept when it is the first and the whole, %s", async (name) => {
    await withNginx(piecesSite({ keepsFiles: false }), async ({ port, store }) => {
      expect((await sendPiece(port, `${store}/file`, randomBytes(100_000), 0, 100_000, [`${name}: ${wrong}`])).status).toBe(400);
    });
  });

  const malformed = [
    ...["sha-256", "sha-256=", "sha-256=abc", "sha-256=:abc", "sha-256=::", "sha-256=:AAAA:", "sha-512=:AAAA:", '"sha-256"=:AAAA:', "sha-256=:!!!!:", ", ,"],
    `sha-256=:${"A".repeat(44)}:`,
    `sha-256=:${createHash("sha512").update("a").digest("base64")}:`,
    `${wrong}, sha-512=:AAAA:`,
  ];
  it.each(["Content-Digest", "Repr-Digest"].flatMap((name) => malformed.map((value) => [name, value] as const)))("is refused before anything is written, %s: %s", async (name, value) => {
    await withNginx(piecesSite({ keepsFiles: false }), async ({ port, store }) => {
      expect((await sendPiece(port, `${store}/file`, Buffer.alloc(10), 0, 10, [`${name}: ${value}`])).status).toBe(400);
    });
  });
});
