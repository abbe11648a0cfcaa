import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { takeLock } from "../../client/send/lock.ts";
import { type Begun, FLUSHED_FROM, makeStateFolder, parseBegun, statePath, UploadState } from "../../client/send/state.ts";

/** Of each file that was written, whether it was flushed to the disk. */
const flushes: boolean[] = [];
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const writeFile: typeof real.writeFile = async (path, data, options) => {
    flushes.push((options as { readonly flush?: boolean }).flush === true);
    await real.writeFile(path, data, options);
  };
  return { ...real, writeFile };
});

const folder = mkdtempSync(join(tmpdir(), "slipway-state-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => void flushes.splice(0));
beforeEach(() => readdirSync(folder).forEach((name) => rmSync(join(folder, name), { recursive: true })));

const begun: Begun = {
  identity: { size: 30, mtime: 1.5, device: 1, inode: 2 },
  file: "a-name-of-the-file",
  segments: [{ start: 0, length: 20, url: "https://localhost/tus/1", done: true }, { start: 20, length: 10, url: null, done: false }],
};

describe("what is remembered of an upload", () => {
  const base = statePath("/data/run.h5", new URL("https://localhost/upload"), folder);

  it("is one place for a file and a site", () => {
    expect(statePath("/data/run.h5", new URL("https://localhost/other"), folder)).toBe(base);
    expect(statePath("/data/run.h5", new URL("https://localhost:8443/upload"), folder)).not.toBe(base);
    expect(statePath("/data/run2.h5", new URL("https://localhost/upload"), folder)).not.toBe(base);
  });

  it.each([["an empty HOME", ""], ["no HOME, and no user of that number", undefined]])("has an absolute place with %s", (_, home) => {
    const program = `import { stateFolder } from ${JSON.stringify(join(import.meta.dirname, "../../client/send/state.ts"))}; console.log(stateFolder());`;
    const options = { env: home === undefined ? {} : { HOME: home }, ...(process.getuid?.() === 0 && home === undefined ? { uid: 54321 } : {}) };
    const shown = execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], { encoding: "utf8", ...options });
    expect(shown).toMatch(/^\/(.*\/)?\.local\/state\/slipway\n$/);
  });

  it("comes back as it was written, until it is forgotten; nobody else may read it", async () => {
    const state = new UploadState(base);
    expect(await state.read()).toBeUndefined();
    await Promise.all([state.write({ ...begun, segments: [{ ...begun.segments[0]!, length: 30 }] }), state.write(begun)]);
    expect(await state.read()).toEqual(begun);
    expect(statSync(`${base}.json`).mode & 0o777).toBe(0o600);
    await state.forget();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([[FLUSHED_FROM - 1, false], [FLUSHED_FROM, true]])("outlasts a power cut from a size on: %d bytes, %s", async (size, flushed) => {
    await new UploadState(base).write({ ...begun, identity: { ...begun.identity, size } });
    expect(flushes).toEqual([flushed]);
  });

  it("is written once for all that comes meanwhile", async () => {
    const state = new UploadState(base);
    const first = state.write({ ...begun, file: "first" });
    await vi.waitUntil(() => flushes.length === 1, { timeout: 30_000 });
    await Promise.all([first, ...Array.from({ length: 20 }, () => state.write({ ...begun, file: "other" })), state.write(begun)]);
    expect(flushes).toHaveLength(2);
    expect(await state.read()).toEqual(begun);
  });

  it("lies in a folder that only its owner may enter", async () => {
    await makeStateFolder(join(folder, "a/b"));
    expect(statSync(join(folder, "a/b")).mode & 0o777).toBe(0o700);
  });

  it.each([
    ["nothing", ""],
    ["half of it", JSON.stringify(begun).slice(0, 100)],
    ["a list", "[]"],
    ["a gap between segments", JSON.stringify({ ...begun, segments: [begun.segments[1]] })],
    ["segments of another size", JSON.stringify({ ...begun, identity: { ...begun.identity, size: 31 } })],
    ["an address that is none", JSON.stringify({ ...begun, segments: [{ start: 0, length: 30, url: "tus/1", done: false }] })],
    ["several segments of no file", JSON.stringify({ ...begun, file: null })],
  ])("is nothing when the file says %s", (_, text) => expect(parseBegun(text)).toBeUndefined());
});

describe("the lock of an upload", () => {
  const path = join(folder, "one.lock");
  const taken = (): Promise<unknown> => takeLock(path).then((free) => free(), (error: unknown) => error);

  it("is held until it is freed, also against the same process", async () => {
    const free = await takeLock(path);
    expect(await taken()).toMatchObject({ failure: { kind: "local", code: "locked", message: `is being sent to this site by another push (process ${process.pid} on ${hostname()})` } });
    await free();
    expect(await taken()).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("of a process that was killed is taken over, that of one that runs is not", async () => {
    const other = spawn("sleep", ["60"]);
    const holder = { pid: other.pid, host: hostname(), began: "" };
    writeFileSync(path, JSON.stringify(holder));
    expect(await taken()).toMatchObject({ failure: { code: "locked" } });
    // Another process that has got the number of the one that held it.
    writeFileSync(path, JSON.stringify({ ...holder, began: "1" }));
    expect(await taken()).toBeUndefined();
    writeFileSync(path, JSON.stringify(holder));
    other.kill("SIGKILL");
    await once(other, "close");
    expect(await taken()).toBeUndefined();
  });

  it("of another machine counts while it shows signs of life", async () => {
    writeFileSync(path, JSON.stringify({ pid: 1, host: "elsewhere", began: "" }));
    expect(await taken()).toMatchObject({ failure: { message: expect.stringContaining("(process 1 on elsewhere)") } });
    expect(readFileSync(path, "utf8")).toContain("elsewhere");
  });
});
