import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { directives, parseNginx } from "../helpers/nginx-parse.ts";

describe("npm run render", () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "slipway-render-"))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const render = (site: string, ...args: string[]): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> => {
    const path = join(folder, "site.ts");
    writeFileSync(path, `export default ${site};`);
    return execa({ env: { SLIPWAY_SITE: path }, reject: false })`npx tsx scripts/render.ts ${args}`.then(({ exitCode, stdout, stderr }) => ({ exitCode, stdout, stderr }));
  };

  it("prints the nginx.conf of the site, and nothing else", async () => {
    const { exitCode, stdout } = await render('{ upload: { path: "/in" } }');
    expect(exitCode).toBe(0);
    expect(directives(parseNginx(stdout), "location").map(({ args }) => args)).toContainEqual(["=", "/in"]);
  });

  it("prints nothing but the problems, all of them, when there are any", async () => {
    const { exitCode, stdout, stderr } = await render('{ name: "A", upload: { maxFileSize: "1.5g" } }');
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toContain('site.name: not a site name, got "A"; ');
    expect(stderr).toContain('site.upload.maxFileSize: not an nginx size, got "1.5g"; use an integer with k, m or g ("1536m")');
    expect(stderr).not.toContain("    at ");
  });

  it("knows two placements", async () => {
    const { exitCode, stderr } = await render("{}", "--placement", "moon");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('--placement: unknown, got "moon"; use docker or local')]);
  });
});
