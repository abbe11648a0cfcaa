import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withNginx } from "../helpers/nginx.ts";
import { digestField, pieceHead, piecesSite, readState, sendPiece, sha256 } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange, type WireAnswer } from "../helpers/wire.ts";

const MiB = 1024 * 1024;
const bytes = randomBytes(3 * MiB);

/** A piece of a file whose length is not said. */
const unsaid = (port: number, path: string, from: number, to: number): Promise<WireAnswer> =>
  exchange(port, Buffer.concat([pieceHead(path, from, to - from), bytes.subarray(from, to)]));

describe("module: a first piece that begins in the middle of its file", () => {
  it.each(["on", "off"])("makes a file of a known length, upload_reserve %s", async (reserve) => {
    await withNginx(piecesSite({}, `upload_reserve ${reserve};`), async ({ port, store, passed }) => {
      const path = `${store}/file`;
      expect((await sendPiece(port, path, bytes, 2 * MiB, 2 * MiB + 5)).status).toBe(200);
      expect([fieldOf(passed[0], "outcome"), fieldOf(passed[0], "offset")]).toEqual(["partial", "0"]);
      expect(readState(`${path}.state`)).toMatchObject({ complete: false, total: bytes.length, hashed: 0, ranges: [[2 * MiB, 2 * MiB + 5]], claims: 0 });
      if (reserve === "on") expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(bytes.length);
      expect((await sendPiece(port, path, bytes, 2 * MiB + 5)).status).toBe(200);
      expect((await sendPiece(port, path, bytes, 0, 2 * MiB)).status).toBe(200);
      expect([fieldOf(passed.at(-1), "outcome"), fieldOf(passed.at(-1), "sha256")]).toEqual(["complete", sha256(bytes)]);
      expect(readFileSync(path).equals(bytes)).toBe(true);
    });
  });

  it("may be any of many that come at once", async () => {
    await withNginx(piecesSite(), async ({ port, store, passed }) => {
      for (let round = 0; round < 5; round++) {
        const path = `${store}/file${round}`;
        const cuts = Array.from({ length: 9 }, (_, i) => Math.floor((i * bytes.length) / 8));
        const answers = await Promise.all(cuts.slice(1).map((to, i) => sendPiece(port, path, bytes, cuts[i]!, to)));
        expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
        const whole = passed.filter((one) => fieldOf(one, "path") === path && fieldOf(one, "outcome") === "complete");
        // Of two that end together both may say so.
        expect([...new Set(whole.map((one) => fieldOf(one, "sha256")))]).toEqual([sha256(bytes)]);
        expect(readFileSync(path).equals(bytes)).toBe(true);
      }
    });
  });

  it("leaves nothing when it differs from its digest", async () => {
    await withNginx(piecesSite({ keepsFiles: false }), async ({ port, store, files }) => {
      const wrong = [`Content-Digest: ${digestField(Buffer.from("other"))}`];
      expect((await sendPiece(port, `${store}/file`, bytes, MiB, 2 * MiB, wrong)).status).toBe(400);
      expect(files()).toEqual([]);
    });
  });

  it("goes on where a kill has left an empty file and an empty state", async () => {
    await withNginx(piecesSite(), async ({ port, store }) => {
      const path = `${store}/file`;
      writeFileSync(path, "");
      writeFileSync(`${path}.state`, "");
      expect((await sendPiece(port, path, bytes, MiB, 2 * MiB)).status).toBe(200);
      expect(readState(`${path}.state`).ranges).toEqual([[MiB, 2 * MiB]]);
    });
  });

  it("is refused without a length, and behind what others have put there", async () => {
    await withNginx(piecesSite({ keepsFiles: false }), async ({ port, store }) => {
      const path = `${store}/file`;
      expect((await unsaid(port, path, MiB, 2 * MiB)).status).toBe(409);
      expect([existsSync(path), existsSync(`${path}.state`)]).toEqual([false, false]);
      writeFileSync(path, bytes.subarray(0, 1000));
      expect((await sendPiece(port, path, bytes, 1001, 2000)).status).toBe(409);
      expect([statSync(path).size, existsSync(`${path}.state`)]).toEqual([1000, false]);
      rmSync(path);
    });
  });

  it("counts no byte of a file that was taken away", async () => {
    await withNginx(piecesSite(), async ({ port, store, passed }) => {
      const path = `${store}/file`;
      expect((await sendPiece(port, path, bytes, 0, MiB)).status).toBe(200);
      rmSync(path);
      expect((await sendPiece(port, path, bytes, MiB)).status).toBe(200);
      expect([fieldOf(passed.at(-1), "outcome"), fieldOf(passed.at(-1), "offset")]).toEqual(["partial", "0"]);
      expect((await sendPiece(port, path, bytes, 0, MiB)).status).toBe(200);
      expect(fieldOf(passed.at(-1), "sha256")).toBe(sha256(bytes));
      expect(readFileSync(path).equals(bytes)).toBe(true);
    });
  });
});
