import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

/** Import directions of the folders: the key may import from the values (and from itself). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  protocol: ["lib"],
  web: ["lib", "protocol"],
  app: ["lib", "protocol", "web"],
  client: ["lib", "protocol"],
  images: ["lib", "protocol", "stacks", "web"],
  stacks: ["lib", "protocol", "web", "images"],
  scripts: ["lib", "protocol", "stacks", "images", "client", "bench"],
  bench: ["lib", "images", "scripts"],
};

const LONGEST_FILE: Readonly<Record<string, number>> = { ts: 300, c: 1000, h: 1000 };
const LONGEST_FUNCTION = 70;

/** What a newcomer should never meet, and what to use instead. */
const BANNED: readonly { pattern: RegExp; files: RegExp; use: string }[] = [
  { pattern: /\b(TODO|FIXME|XXX)\b/, files: /\.(ts|c|h|sh|hbs)$/, use: "an issue" },
  { pattern: /\b(it|test|describe)\.only\b/, files: /\.test\.ts$/, use: "the whole suite" },
  { pattern: /\b(it|test|describe)\.(todo)\b/, files: /\.test\.ts$/, use: "a test with an assertion" },
  { pattern: /@ts-(ignore|nocheck)/, files: /\.ts$/, use: "a type that is right" },
  { pattern: /\.\.\/shared\b|work\/shared/, files: /./, use: "a text of the project's own" },
  { pattern: /\bngx_c?alloc\(/, files: /^module\/src\/.*\.[ch]$/, use: "a pool or malloc: what is lost of ngx_alloc nobody is told of (test/fixtures/nginx.lsan)" },
  { pattern: /\bas any\b/, files: /^(?!test\/).*\.ts$/, use: "unknown and a check" },
];

const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" })
  .split("\n")
  .filter((path) => path !== "" && existsSync(path));

const text = (path: string): string => readFileSync(path, "utf8");
const sources = tracked.filter((path) => /\.(ts|c|h)$/.test(path));
const typescript = sources.filter((path) => path.endsWith(".ts"));
const relativeImports = (path: string): string[] =>
  [...text(path).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((match) => normalize(join(dirname(path), match[1]!)));

describe("tidy", () => {
  it("keeps files short", () => {
    const long = sources
      .map((path) => ({ path, lines: text(path).split("\n").length - 1, limit: LONGEST_FILE[path.split(".").pop()!]! }))
      .filter(({ lines, limit }) => lines > limit)
      .map(({ path, lines, limit }) => `${path}: ${lines} lines, the limit is ${limit}; split it by concern`);
    expect(long).toEqual([]);
  });

  it("keeps functions short", () => {
    expect(sources.flatMap(longFunctions)).toEqual([]);
  });

  it("keeps the import directions of the layout", () => {
    const wrong = typescript.flatMap((path) => {
      const folder = path.split("/")[0]!;
      const allowed = MAY_IMPORT[folder];
      if (allowed === undefined) return [];
      return relativeImports(path)
        .filter((target) => target.split("/")[0] !== folder && !allowed.includes(target.split("/")[0]!))
        .map((target) => `${path}: imports ${target}; ${folder}/ may import ${allowed.join(", ") || "nothing of ours"}`);
    });
    expect(wrong).toEqual([]);
  });

  it("keeps cdktf out of the service and the client", () => {
    const wrong = typescript.filter((path) => /^(app|client|lib|protocol|web)\//.test(path) && /from "(cdktf|constructs|@cdktf)/.test(text(path)));
    expect(wrong).toEqual([]);
  });

  it("uses nothing that is banned", () => {
    const found = tracked
      .filter((path) => path !== "test/tidy.test.ts" && !/\.(png|lock|sum)$|package-lock\.json$|corpus\//.test(path))
      .flatMap((path) =>
        text(path).split("\n").flatMap((line, index) =>
          BANNED.filter(({ pattern, files }) => files.test(path) && pattern.test(line)).map(
            ({ pattern, use }) => `${path}:${index + 1}: ${pattern.source} is banned, use ${use}`,
          ),
        ),
      );
    expect(found).toEqual([]);
  });

  it("has no source file that nothing uses", () => {
    const used = new Set(typescript.flatMap(relativeImports));
    const named = [text("package.json"), text("cdktf.json"), ...typescript.map(text)].join("\n");
    const unused = typescript.filter(
      (path) => !path.startsWith("test/") && !used.has(path) && !named.includes(path) && !path.endsWith(".config.ts"),
    );
    expect(unused).toEqual([]);
  });
});

/** Functions longer than the limit, found by the column of their first and last line: the house style indents both alike. */
function longFunctions(path: string): string[] {
  const isC = /\.[ch]$/.test(path);
  const start = isC ? /^\{$/ : /^(\s*)(export )?(default )?(async )?(function\b|(readonly |static |private |protected |public |async )*[\w#]+\([^;]*\)[^;]*\{$)|^(\s*)(export )?const \w+ = (async )?\([^;]*=> \{$/;
  const lines = text(path).split("\n");
  const found: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (!start.test(line) || /^\s*(if|for|while|switch|describe|it|test)\b/.test(line)) continue;
    const indent = /^\s*/.exec(line)![0];
    const end = lines.findIndex((candidate, j) => j > i && (candidate === `${indent}}` || candidate === `${indent}};`));
    if (end > 0 && end - i + 1 > LONGEST_FUNCTION) found.push(`${path}:${i + 1}: ${end - i + 1} lines, the limit is ${LONGEST_FUNCTION}; split it`);
  }
  return found;
}
