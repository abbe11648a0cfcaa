import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadSite, siteFile } from "../../stacks/load-site.ts";
import { checkSite } from "../../stacks/settings.ts";

describe("loadSite", () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "slipway-site-"))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function file(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  }

  it("reads the checkout's own site file", async () => {
    expect(siteFile({})).toMatch(/\/stacks\/site\.ts$/);
    expect(await loadSite(siteFile({}))).toEqual(checkSite({}));
  });

  it("reads another one that SLIPWAY_SITE names", async () => {
    const path = file("a.ts", 'export default { name: "other" };');
    expect(siteFile({ SLIPWAY_SITE: path })).toBe(path);
    expect((await loadSite(path)).name).toBe("other");
  });

  it.each([
    ["that is not there", "", /^site: no such site file, got ".*none\.ts"; name an existing file in SLIPWAY_SITE/],
    ["without a default export", "export const site = {};", /^site: the site file has no default export, got /],
    ["with a wrong prop", 'export default { name: "A" };', /^site\.name: not a site name, got "A"; /],
  ])("says what is wrong with one %s", async (_, text, message) => {
    const path = text === "" ? join(folder, "none.ts") : file(`${text.length}.ts`, text);
    await expect(loadSite(path)).rejects.toThrow(message);
  });

  it("lets an error of the file itself through", async () => {
    await expect(loadSite(file("throws.ts", 'throw new RangeError("mine");'))).rejects.toThrow("mine");
    await expect(loadSite(file("imports.ts", 'import "./nowhere.ts";'))).rejects.toThrow(/nowhere/);
  });
});
