/** The service is told by nginx alone, and checks all the same: one row for each lie. */
import { chmodSync, existsSync, linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { complete, fieldsOf, startTestService, type TestService, writeIncoming } from "../helpers/service.ts";
import { readTree } from "../helpers/tree.ts";

let service: TestService;

beforeEach(async () => {
  service = await startTestService();
});

afterEach(() => service.remove());

/** What lies at the path that is claimed, and how it got there. */
const lies: readonly (readonly [what: string, code: string, path: (store: string) => string])[] = [
  ["a file outside the store", "unsafe_path", (store) => outside(store)],
  ["a way out of incoming/", "unsafe_path", (store) => `${store}/incoming/../../outside`],
  ["a way out of incoming/ and back", "unsafe_path", (store) => `${store}/incoming/../incoming/1/file`],
  ["a doubled slash", "unsafe_path", (store) => `${store}/incoming//1/file`],
  ["a relative path", "unsafe_path", () => "incoming/1/file"],
  ["a folder whose name begins like incoming/", "unsafe_path", (store) => write(`${store}/incoming2/file`)],
  ["a file that is filed already", "unsafe_path", (store) => write(`${store}/files/2026-01-01/id/file`)],
  ["incoming/ itself", "unsafe_path", (store) => `${store}/incoming`],
  ["incoming/ with a slash", "unsafe_path", (store) => `${store}/incoming/`],
  ["nothing", "unsafe_path", () => ""],
  ["a NUL", "unsafe_path", (store) => `${store}/incoming/1/file\0.txt`],
  ["a directory", "unsafe_path", (store) => `${store}/incoming/1`],
  ["a symbolic link", "unsafe_path", (store) => link(`${store}/incoming/1/link`, outside(store))],
  ["a symbolic link inside incoming/", "unsafe_path", (store) => link(`${store}/incoming/1/link`, write(`${store}/incoming/1/file`))],
  ["a file behind a symbolic link to a directory", "unsafe_path", (store) => `${link(`${store}/incoming/2`, dirname(outside(store)))}/outside`],
  ["a file with two names", "unsafe_path", (store) => hardLink(`${store}/incoming/1/second`, outside(store))],
  ["a pipe", "unsafe_path", (store) => pipe(`${store}/incoming/1/pipe`)],
  ["a file that is not there", "upload_gone", (store) => `${store}/incoming/1/none`],
  ["a path through a file", "upload_gone", (store) => `${write(`${store}/incoming/1/file`)}/x`],
];

function write(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "hello");
  return path;
}

function outside(store: string): string {
  return write(join(dirname(store), "outside"));
}

function link(path: string, target: string): string {
  symlinkSync(target, path);
  return path;
}

function hardLink(path: string, target: string): string {
  linkSync(target, path);
  return path;
}

function pipe(path: string): string {
  execFileSync("mkfifo", [path]);
  return path;
}

it.each(lies)("refuses %s", async (_what, code, make) => {
  const path = make(service.folder.store);
  const before = readTree(service.folder.store);
  const response = await complete(service, fieldsOf({ path, size: 5, sha256: "ab".repeat(32) }, "x"));
  expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([code === "upload_gone" ? 409 : 500, code]);
  expect(readTree(service.folder.store)).toEqual(before);
  expect(await (await service.ask("/api/uploads")).json()).toEqual({ uploads: [], next: null });
});

it.each(["", "0", "2", "-1", "1x"])("refuses a form of one file when nginx says that it wrote %j", async (count) => {
  const file = writeIncoming(service.folder, "hello");
  const response = await complete(service, fieldsOf(file, "x"), { "X-Slipway-Files": count });
  expect(await response.json()).toMatchObject({ error: { code: "bad_form", status: 400 } });
  expect(existsSync(file.path)).toBe(true);
});

it("refuses a size that is not the file's", async () => {
  const file = writeIncoming(service.folder, "hello");
  for (const size of [4, 6, 0]) {
    const response = await complete(service, fieldsOf({ ...file, size }, "x"));
    expect(await response.json()).toMatchObject({ error: { code: "size_mismatch", status: 500 } });
  }
  expect(existsSync(file.path)).toBe(true);
});

it("takes a store whose own root is behind a symbolic link, however it is spelled", async () => {
  const { store, root } = service.folder;
  await service.stop();
  const real = join(root, "real");
  renameSync(store, real);
  symlinkSync(real, store);
  chmodSync(real, 0o2770);
  const linked = await startTestService({ folder: service.folder });
  const spelled = writeIncoming(linked.folder, "one");
  const second = writeIncoming(linked.folder, "two");
  const resolved = { ...second, path: second.path.replace(store, real) };
  expect((await complete(linked, fieldsOf(spelled, "1"))).status).toBe(200);
  expect((await complete(linked, fieldsOf(resolved, "2"))).status).toBe(200);
  await linked.stop();
});
