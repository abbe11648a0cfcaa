import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { planFiles } from "../../client/plan.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-plan-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  writeFileSync(join(folder, "a.bin"), "12345");
  mkdirSync(join(folder, "run", "raw"), { recursive: true });
  mkdirSync(join(folder, "run", "cache"));
  for (const path of ["run/z.txt", "run/a.h5", "run/raw/1.h5", "run/cache/x.h5"]) writeFileSync(join(folder, path), path);
  symlinkSync("..", join(folder, "run", "circle"));
  symlinkSync("a.bin", join(folder, "link"));
  execFileSync("mkfifo", [join(folder, "run", "pipe")]);
});

const names = async (args: string[], options?: { include?: string[]; exclude?: string[] }) =>
  (await planFiles(args, folder, { include: [], exclude: [], ...options })).files.map(({ name }) => name);

it("lists what can be sent, and what cannot with the reason", async () => {
  const { files, unreadable } = await planFiles(["a.bin", "gone", "/dev/null"], folder);
  expect(files).toEqual([{ argument: "a.bin", path: join(folder, "a.bin"), name: "a.bin", size: 5 }]);
  expect(unreadable).toEqual([
    { argument: "gone", why: "does not exist" },
    { argument: "/dev/null", why: "is not a regular file; pipe it in with --name NAME - instead" },
  ]);
});

it("takes a folder with all that is in it, and reports what is no file", async () => {
  const { files, skipped } = await planFiles(["run"], folder);
  expect(files.map(({ argument, name }) => [argument, name])).toEqual([
    ["run/a.h5", "run/a.h5"], ["run/z.txt", "run/z.txt"], ["run/cache/x.h5", "run/cache/x.h5"], ["run/raw/1.h5", "run/raw/1.h5"],
  ]);
  expect(files[0]).toMatchObject({ path: join(folder, "run/a.h5"), size: "run/a.h5".length });
  expect(skipped).toEqual([
    { argument: "run/circle", why: "is a symbolic link, which is not followed" },
    { argument: "run/pipe", why: "is a pipe" },
  ]);
});

it("says of a file, and of a folder, that its name is not UTF-8", async () => {
  const bytes = (name: string): Buffer => Buffer.concat([Buffer.from(`${folder}/odd/`), Buffer.from(name, "latin1")]);
  mkdirSync(join(folder, "odd"));
  writeFileSync(bytes("k\xe4se"), "1");
  mkdirSync(bytes("tr\xe4ger"));
  const { files, unreadable } = await planFiles(["odd"], folder);
  expect([files, unreadable]).toEqual([[], ["k\uFFFDse", "tr\uFFFDger"].map((name) => ({ argument: `odd/${name}`, why: "has a name that is not UTF-8; rename it" }))]);
});

it.each([
  ["run/", "a.h5"], ["./run/.", "a.h5"], ["run/../run", "run/a.h5"],
])("sends %s with the first name %s", async (argument, name) => expect((await names([argument]))[0]).toBe(name));

it("follows a link that the user names", async () => expect(await names(["link"])).toEqual(["link"]));

it("leaves out what is excluded, and takes only what is included", async () => {
  expect(await names(["run"], { exclude: ["cache/"] })).toEqual(["run/a.h5", "run/z.txt", "run/raw/1.h5"]);
  expect(await names(["run"], { include: ["*.h5"], exclude: ["raw"] })).toEqual(["run/a.h5", "run/cache/x.h5"]);
  expect(await names(["run", "a.bin"], { exclude: ["*.bin", "raw/*.h5"] })).toEqual(["run/a.h5", "run/z.txt", "run/cache/x.h5"]);
});

it("takes files and digests from a manifest", async () => {
  const sha256 = "ab".repeat(32);
  const manifest = [{ path: "./run/raw/1.h5", sha256 }, { path: "run/gone", sha256 }];
  const listed = await planFiles([], folder, { include: [], exclude: [], manifest });
  expect(listed.files).toMatchObject([{ name: "run/raw/1.h5", sha256 }]);
  expect(listed.unreadable).toEqual([{ argument: "run/gone", why: "does not exist" }]);
  const given = await planFiles(["run/raw", "a.bin"], folder, { include: [], exclude: [], manifest });
  expect(given.files.map(({ name, sha256: announced }) => [name, announced])).toEqual([["raw/1.h5", sha256], ["a.bin", undefined]]);
});
