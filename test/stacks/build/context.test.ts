import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildContext, stageContext } from "../../../stacks/build/context.ts";
import { filesBelow, hostFile, textFile } from "../../../stacks/build/tree.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-context-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

describe("stageContext", () => {
  it("writes the files with their exact modes, whatever the umask", () => {
    writeFileSync(join(folder, "source"), "from disk");
    const before = process.umask(0o077);
    try {
      stageContext(
        join(folder, "staged"),
        buildContext({ args: {}, files: [textFile("deep/er/text", "text"), { path: "run", mode: 0o755, content: join(folder, "source") }] }),
      );
    } finally {
      process.umask(before);
    }
    expect(readFileSync(join(folder, "staged", "deep/er/text"), "utf8")).toBe("text");
    expect(readFileSync(join(folder, "staged", "run"), "utf8")).toBe("from disk");
    expect(modeOf(join(folder, "staged", "deep/er/text"))).toBe("644");
    expect(modeOf(join(folder, "staged", "run"))).toBe("755");
  });

  it("leaves nothing of an earlier context", () => {
    const staged = join(folder, "staged");
    stageContext(staged, buildContext({ args: {}, files: [textFile("old", "")] }));
    stageContext(staged, buildContext({ args: {}, files: [textFile("new", "")] }));
    expect(readdirSync(staged)).toEqual(["new"]);
  });
});

describe("filesBelow", () => {
  it("finds regular files at every depth, and no links", () => {
    mkdirSync(join(folder, "src", "deep"), { recursive: true });
    writeFileSync(join(folder, "src", "a.c"), "a");
    writeFileSync(join(folder, "src", "deep", "b.c"), "b");
    symlinkSync("/etc/passwd", join(folder, "src", "link"));
    expect(filesBelow(join(folder, "src"), "module").map(({ path }) => path).sort()).toEqual(["module/a.c", "module/deep/b.c"]);
  });

  it("leaves out what it is told to, at every depth", () => {
    mkdirSync(join(folder, "x", "fuzz"), { recursive: true });
    writeFileSync(join(folder, "x", "fuzz", "a"), "");
    writeFileSync(join(folder, "x", "b"), "");
    expect(filesBelow(folder, ".", new Set(["fuzz"])).map(({ path }) => path)).toEqual(["x/b"]);
  });

  it.each([
    [0o600, 0o644],
    [0o664, 0o644],
    [0o700, 0o755],
    [0o775, 0o755],
  ])("reads mode %o as %o, so that a umask changes no image", (mode, expected) => {
    writeFileSync(join(folder, "f"), "", { mode });
    expect(hostFile(join(folder, "f"), "f").mode).toBe(expected);
  });
});
