import { describe, expect, it } from "vitest";
import { parseOptions, USAGE } from "../../bench/options.ts";

const MIB = 1024 ** 2;
const problems = (...args: string[]): readonly string[] => {
  try {
    parseOptions(args);
  } catch (error) {
    return (error as { problems: readonly string[] }).problems;
  }
  return [];
};

describe("options of the benchmark", () => {
  it("measures 2 GiB in six rounds with the memory held", () => {
    expect(parseOptions([])).toMatchObject({ suite: "speed", sizeBytes: 2048 * MIB, rounds: 6, groups: ["http", "tls", "h2"], hold: 1536 + 2 * 2048, json: undefined, writeDocs: false });
  });

  it("has a size of its own for each suite, and rounds of their own where a few percent decide", () => {
    expect(parseOptions(["--suite", "close"])).toMatchObject({ sizeBytes: 512 * MIB, rounds: 31 });
    expect(parseOptions(["--suite", "close", "--rounds", "9"])).toMatchObject({ rounds: 9 });
    expect(parseOptions(["--suite", "scale"])).toMatchObject({ suite: "scale", rounds: 6, sizeBytes: 256 * MIB, eachBytes: 64 * MIB });
    expect(parseOptions(["--suite", "growth", "--max-size", "32768"])).toMatchObject({ maxSizeBytes: 32768 * MIB, maxCount: 10000 });
  });

  it("takes paths from the folder it was called in", () => {
    expect(parseOptions(["--json", "a/b.json", "--dir", "../c", "--no-hold"], "/x/y")).toMatchObject({ json: "/x/y/a/b.json", dir: "/x/c", hold: false });
  });

  it("tells everything that is wrong at once", () => {
    expect(problems("--rounds", "0", "--suite", "sped", "--groups", "http,quic", "--only", "(", "--size", "2g")).toEqual([
      'bench --suite: not known, got "sped"; use speed, close, scale, growth, link, files (did you mean speed?)',
      'bench --size: not a whole number from 1 up, got "2g"; write digits only',
      'bench --rounds: not a whole number from 1 up, got "0"; write digits only',
      'bench --only: not a regular expression, got "("; escape ( ) [ ] + ? * with a backslash',
      'bench --groups: not known, got "quic"; use http, tls, h2',
    ]);
  });

  it("names an option that there is not", () => {
    expect(problems("--fast")[0]).toMatch(/--fast.*npm run bench -- --help lists all options$/s);
  });

  it("lists every option in its help", () => {
    const listed = [...USAGE.matchAll(/^ {2}--([a-z-]+)/gm)].map((match) => match[1]!);
    expect([...new Set(listed)].sort()).toEqual(["dir", "each", "groups", "help", "json", "leave", "max-count", "max-size", "no-hold", "only", "rounds", "size", "suite", "write-docs"]);
    expect(parseOptions(["--help"])).toBe("help");
  });
});
