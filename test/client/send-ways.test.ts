import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { FileDigest } from "../../client/send/file-digest.ts";
import { Limiter } from "../../client/send/limiter.ts";
import { inPieces } from "../../client/send/stream-upload.ts";
import { leastOf, timeOf } from "../helpers/steady.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-ways-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("one speed for all", () => {
  it("gives several their turns, and no more than the speed in all", async () => {
    const twentyTurns = async (): Promise<number> => {
      const limiter = new Limiter(1_000_000);
      expect(limiter.writeSize).toBe(50_000);
      const took = await timeOf(() => Promise.all(Array.from({ length: 4 }, async () => {
        for (let i = 0; i < 5; i++) await limiter.take(limiter.writeSize);
      })));
      // The last of them has begun, and not ended.
      expect(took).toBeGreaterThan(900);
      return took;
    };
    expect(await leastOf(1200, twentyTurns), "milliseconds").toBeLessThan(1200);
  });

  it("does not wait without a limit, and writes all at once", async () => {
    const limiter = new Limiter(undefined);
    expect(limiter.writeSize).toBe(Infinity);
    const took = (): Promise<number> => timeOf(() => limiter.take(1e12));
    expect(await leastOf(100, took), "milliseconds").toBeLessThan(100);
  });

  it("ends a wait when it is told to", async () => {
    const limiter = new Limiter(1000);
    await limiter.take(60_000);
    await expect(limiter.take(1, AbortSignal.timeout(20))).rejects.toThrow();
  });
});

describe("the digest of a file", () => {
  const content = randomBytes(3_000_000);
  const path = join(folder, "data.bin");
  const source = { path, name: "data.bin", size: content.length };
  const digest = (): FileDigest => (writeFileSync(path, content), new FileDigest(source, new AbortController().signal));
  const sha256 = createHash("sha256").update(content).digest("hex");

  it.each([
    ["in order", [0, 1_000_000, 2_000_000]],
    ["from the end", [2_000_000, 1_000_000, 0]],
    ["twice", [0, 0, 1_000_000, 1_000_000, 2_000_000, 0]],
    ["in part", [1_000_000]],
    ["not at all", []],
  ])("is that of the whole when bytes are sent %s", async (_, offsets) => {
    const own = digest();
    for (const offset of offsets) own.take(offset, content.subarray(offset, offset + 1_000_000));
    expect(await own.end()).toBe(sha256);
  });

  it("fails when the file became shorter", async () => {
    const own = digest();
    truncateSync(path, 1000);
    await expect(own.end()).rejects.toMatchObject({ failure: { kind: "changed" } });
  });
});

describe("a stream in pieces", () => {
  const pieces = async (chunks: readonly string[]): Promise<string[]> => {
    const all: string[] = [];
    const body = async function* (): AsyncGenerator<Buffer> { for (const chunk of chunks) yield Buffer.from(chunk); };
    for await (const { bytes, last } of inPieces(body(), 4)) all.push(`${String(bytes)}${last ? "." : ""}`);
    return all;
  };

  it.each([
    [[], ["."]],
    [["", ""], ["."]],
    [["abcd"], ["abcd."]],
    [["abcde"], ["abcd", "e."]],
    [["a", "bc", "", "defgh"], ["abcd", "efgh."]],
    [["abcdefghi"], ["abcd", "efgh", "i."]],
  ])("of %j are %j", async (chunks, expected) => expect(await pieces(chunks)).toEqual(expected));
});
