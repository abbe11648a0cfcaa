import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const fuzz = fileURLToPath(new URL("../../module/fuzz/", import.meta.url));
const targets = readFileSync(join(fuzz, "targets"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [name = "", , ...sources] = line.split(/\s+/);
    return { name, sources: sources.map((source) => join(fuzz, "../src", `${source}.c`)) };
  });

let work = "";
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "slipway-fuzz-"));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe("module: the parts that know nothing of nginx", () => {
  it("have a fuzz target with saved inputs each", () => {
    expect(targets.map(({ name }) => name).sort()).toEqual(readdirSync(join(fuzz, "corpus")).sort());
  });

  it.each(targets)("$name: saved inputs give what they should, with nothing for the sanitizers to say", ({ name, sources }) => {
    const corpus = readdirSync(join(fuzz, "corpus", name)).map((file) => join(fuzz, "corpus", name, file));
    expect(corpus.length).toBeGreaterThan(20);
    const replay = join(work, name);
    execFileSync("gcc", [
      ...["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror"],
      ...["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
      ...["-o", replay, join(fuzz, `${name}.c`), join(fuzz, "replay.c"), ...sources, "-lcrypto", "-lz"],
    ]);
    expect(execFileSync(replay, corpus, { encoding: "utf8" })).toBe(`${corpus.length} inputs\n`);
  });
});
