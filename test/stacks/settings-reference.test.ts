import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { renderReference, renderSummary, withSummary } from "../../stacks/settings-reference.ts";
import { settingsTable } from "../../stacks/settings-table.ts";

const fix = "run npm run reference";
const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

describe("the reference of settings", () => {
  it("is what the table says", () => {
    expect(read("docs/reference/settings.md"), fix).toBe(renderReference());
  });

  it("has a row of five cells for every setting", () => {
    const rows = renderReference().split("\n").filter((line) => line.startsWith("| `"));
    expect(rows.map((row) => /`([^`]+)`/.exec(row)![1])).toHaveLength(Object.keys(settingsTable).length);
    for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(7);
    expect(new Set(rows.map((row) => /`([^`]+)`/.exec(row)![1]))).toEqual(new Set(Object.keys(settingsTable)));
  });
});

describe("the README's table", () => {
  it.skipIf(!existsSync(new URL("../../README.md", import.meta.url)))("is what the table says", () => {
    expect(read("README.md"), "put <!-- settings: made by npm run reference --> and <!-- settings end --> where it belongs").toMatch(/<!-- settings: made by npm run reference -->[^]*<!-- settings end -->/);
    expect(read("README.md"), fix).toBe(withSummary(read("README.md")));
  });

  it("is put between its marks, again and again", () => {
    const marks = "a\n<!-- settings: made by npm run reference -->\nold\n<!-- settings end -->\nb\n";
    const once = withSummary(marks);
    expect(once).toBe(`a\n<!-- settings: made by npm run reference -->\n\n${renderSummary()}\n\n<!-- settings end -->\nb\n`);
    expect(withSummary(once)).toBe(once);
    expect(withSummary("no marks")).toBe("no marks");
  });
});
