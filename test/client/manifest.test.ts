import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ManifestError, manifestText, parseManifest } from "../../client/manifest.ts";

const sum = "ab".repeat(32);

it("reads what sha256sum writes, and writes what it reads", () => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-manifest-"));
  try {
    const names = ["plain", "with space", "back\\slash", "new\nline", "*star"];
    for (const name of names) writeFileSync(join(folder, name), name);
    const text = execFileSync("sha256sum", ["--", ...names], { cwd: folder, encoding: "utf8" });
    const listed = parseManifest(text);
    expect(listed.map(({ path }) => path)).toEqual(names);
    expect(manifestText(listed)).toBe(text);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it("takes comments, empty lines, CRLF, capitals and the mark of binary mode", () => {
  expect(parseManifest(`# made by hand\r\n\r\n${sum.toUpperCase()} *a/b\r\n`)).toEqual([{ path: "a/b", sha256: sum }]);
});

it.each([
  ["hello", /line 1: not a line of sha256sum, got "hello"/],
  [`${sum}  a\n${"cd".repeat(32)}  a\n`, /line 2: "a" has another digest than above/],
  [`${sum.slice(2)}  a`, /line 1/],
])("refuses %j", (text, message) => {
  expect(() => parseManifest(text)).toThrow(ManifestError);
  expect(() => parseManifest(text)).toThrow(message);
});
