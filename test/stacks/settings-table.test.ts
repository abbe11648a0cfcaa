import { describe, expect, expectTypeOf, it } from "vitest";
import type { SiteProps } from "../../stacks/props.ts";
import { checkSite } from "../../stacks/settings.ts";
import { settingsTable, type SettingPath, type SettingValue } from "../../stacks/settings-table.ts";

describe("the table of settings", () => {
  it("has the props' own paths, by type", () => {
    expectTypeOf<SettingPath>().toEqualTypeOf<keyof typeof settingsTable>();
    expectTypeOf<"upload.maxFileSize">().toExtend<SettingPath>();
    expectTypeOf<"tls.certificate">().toExtend<SettingPath>();
    expectTypeOf<"storage.place.path">().toExtend<SettingPath>();
    expectTypeOf<"upload">().not.toExtend<SettingPath>();
    expectTypeOf<SettingValue<"listen.httpPort">>().toEqualTypeOf<number | false>();
    expectTypeOf<SettingPath extends `${keyof SiteProps}${string}` ? true : false>().toEqualTypeOf<true>();
  });

  it.each(Object.entries(settingsTable))("%s is described", (path, row) => {
    expect(row.does).toMatch(/^[A-Z`].*\.$/s);
    expect(row.reaches).not.toBe("");
    if (row.default.kind === "derived" || row.default.kind === "none") expect(row.default.text).not.toBe("");
    if (row.kinds) expect(path).toContain(".");
  });

  it("has defaults that its own types take", () => {
    for (const [path, row] of Object.entries(settingsTable)) {
      if (row.default.kind !== "value") continue;
      const problems: unknown[] = [];
      row.type.parse(row.default.value, path, (problem) => problems.push(problem));
      expect(problems).toEqual([]);
    }
    expect(() => checkSite({})).not.toThrow();
  });
});
