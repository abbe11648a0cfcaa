import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { buildAssets } from "../../web/assets.ts";
import { ASSETS_PATH, PUSH_CLIENT as PUSH, renderHome } from "../../web/pages.ts";

const assets = await buildAssets();

function text(name: string): string {
  const asset = assets.get(name);
  if (asset === undefined) throw new Error(`${name}: not among ${[...assets.keys()].join(", ")}`);
  return asset.body.toString("utf8");
}

describe("buildAssets", () => {
  it("has every file that a page asks for, and no other", () => {
    const page = renderHome({ siteName: "s", uploadPath: "/upload", maxFileSize: 0, checksums: [] });
    const asked = [...page.matchAll(/(?:href|src)="\/assets\/([^"]+)"/g)].map((match) => match[1]);
    expect(ASSETS_PATH).toBe("/assets/");
    // The worker is asked for by the script, the push client by whoever has a terminal.
    expect(text("upload.js")).toContain("/assets/hash.js");
    expect([...assets.keys()].sort()).toEqual([...asked, "hash.js", PUSH].sort());
  });

  it("names their types", () => {
    expect([...assets].map(([name, { type }]) => [name, type])).toEqual([
      ["upload.js", "text/javascript; charset=utf-8"],
      ["hash.js", "text/javascript; charset=utf-8"],
      ["app.css", "text/css; charset=utf-8"],
      ["favicon.svg", "image/svg+xml"],
      [PUSH, "text/javascript; charset=utf-8"],
    ]);
  });

  it("stays small: a phone on a slow line loads the page in a moment", () => {
    // As nginx sends them (gzip_comp_level is 1 by default).
    const total = [...assets].reduce((sum, [name, { body }]) => sum + (name === PUSH ? 0 : gzipSync(body, { level: 1 }).length), 0);
    expect(total).toBeGreaterThan(10_000);
    expect(total).toBeLessThan(55_000);
  });

  it("gives the same bytes for the same sources", async () => {
    const again = await buildAssets();
    for (const [name, { body }] of assets) expect(again.get(name)?.body.equals(body)).toBe(true);
  });

  it("asks for nothing from elsewhere and runs no text as code", () => {
    expect(text("app.css")).not.toMatch(/@import|url\(/);
    expect(text("upload.js")).not.toMatch(/\beval\b|new Function|innerHTML|document\.write|https?:\/\/[\w[]/);
  });
});
