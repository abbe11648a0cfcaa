import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const module = fileURLToPath(new URL("../../module/", import.meta.url));
const corpus = readdirSync(join(module, "fuzz/corpus")).map((name) => join(module, "fuzz/corpus", name));

let work = "";
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "slipway-fuzz-"));
  const sources = ["fuzz/multipart.c", "fuzz/replay.c", "src/upload_multipart.c", "src/upload_header.c"].map((file) => join(module, file));
  const sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
  execFileSync("gcc", ["-g", "-O1", "-Wall", "-Wextra", "-Werror", ...sanitizers, "-o", join(work, "replay"), ...sources]);
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe("module: the parsers alone", () => {
  it("read the saved corpus alike, whole and in pieces, with nothing for the sanitizers to say", () => {
    expect(corpus.length).toBeGreaterThan(5);
    expect(execFileSync(join(work, "replay"), corpus, { encoding: "utf8" })).toBe(`${corpus.length} inputs\n`);
  });
});
