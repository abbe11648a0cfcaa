import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exitCodeOf, exitCodes } from "../../client/exit-codes.ts";
import { optionRows, spelled } from "../../client/options.ts";
import { renderPushReference } from "../../client/reference.ts";
import { USAGE } from "../../client/usage.ts";

describe("what push says of itself", () => {
  it("has a page that is current", () => {
    expect(readFileSync(join(import.meta.dirname, "../../docs/reference/push.md"), "utf8"), "run npm run reference").toBe(renderPushReference());
  });

  it.each(optionRows.map((row) => [spelled(row), row[1].help]))("names %s in the help and on the page", (option, help) => {
    expect(USAGE).toContain(`  ${option}`);
    expect(USAGE.replace(/\s+/g, " ")).toContain(help);
    expect(renderPushReference()).toContain(`\`${option}\``);
  });

  it("keeps the help within 82 columns", () => expect(USAGE.split("\n").filter((line) => line.length > 82)).toEqual([]));

  it("names every exit code", () => {
    for (const [code, text] of Object.entries(exitCodes)) expect(USAGE.replace(/\s+/g, " ")).toContain(` ${code} ${text}`);
  });

  it.each([
    [[], 0], [["refused"], 3], [["refused", "refused"], 3], [["network"], 4], [["digest"], 5], [["local", "changed"], 6], [["server"], 7],
    [["server", "network"], 1], [["server", "aborted"], 130],
  ] as const)("ends with one code for failures %j: %d", (kinds, code) => expect(exitCodeOf(kinds)).toBe(code));
});
