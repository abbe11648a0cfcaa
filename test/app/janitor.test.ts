import { existsSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { cleanIncoming, janitorInterval } from "../../app/store/janitor.ts";
import { age, makeServiceFolder, type ServiceFolder, startTestService, writeIncoming } from "../helpers/service.ts";
import { openStore, receivedRecord, type TestStore } from "../helpers/store.ts";

const day = 86_400;
let folder: ServiceFolder;
let store: TestStore;

beforeEach(async () => {
  folder = makeServiceFolder();
  store = await openStore(folder);
});

afterEach(async () => {
  await store.records.close();
  rmSync(folder.root, { recursive: true, force: true });
});

it("removes what nobody wrote to for long enough, says so, and keeps the rest", async () => {
  const old = writeIncoming(folder, "old", "1/0000000001");
  const fresh = writeIncoming(folder, "fresh", "2/0000000002");
  age(old.path, day + 60);
  age(fresh.path, day - 60);
  expect(await cleanIncoming(store, day)).toBe(1);
  expect([existsSync(old.path), existsSync(fresh.path)]).toEqual([false, true]);
  expect(existsSync(join(folder.store, "incoming", "1"))).toBe(true);
  expect(store.lines).toContainEqual(expect.objectContaining({ msg: "removed an abandoned upload", path: "1/0000000001", size: 3 }));
});

it("removes half of a ranged upload with its state when no segment came for long enough, not before", async () => {
  const [left, going] = ["left.0000000001", "going.0000000002"].map((name) => ["", ".state"].map((end) => writeIncoming(folder, "half", `1/${name}${end}`).path)) as [string[], string[]];
  for (const path of left) age(path, day + 60);
  for (const path of going) age(path, day - 60);
  expect(await cleanIncoming(store, day)).toBe(2);
  expect([...left, ...going].map((path) => existsSync(path))).toEqual([false, false, true, true]);
});

it.each([["data", ""], ["state", ".state"]])("keeps a ranged upload of which only the %s was written to", async (_, fresh) => {
  const paths = ["", ".state"].map((end) => writeIncoming(folder, "half", `1/going.0000000001${end}`).path);
  for (const path of paths) age(path, path.endsWith(`0000000001${fresh}`) ? day - 60 : day + 60);
  expect(await cleanIncoming(store, day)).toBe(0);
  for (const path of paths) age(path, day + 60);
  expect(await cleanIncoming(store, day)).toBe(2);
});

it("removes a symbolic link, never what it leads to", async () => {
  const outside = join(folder.root, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "precious"), "x");
  age(join(outside, "precious"), 9 * day);
  symlinkSync(outside, join(folder.store, "incoming", "1", "directory"));
  symlinkSync(join(outside, "precious"), join(folder.store, "incoming", "1", "file"));
  expect(await cleanIncoming(store, -60)).toBe(2);
  expect(existsSync(join(outside, "precious"))).toBe(true);
  expect(() => lstatSync(join(folder.store, "incoming", "1", "file"))).toThrow("ENOENT");
});

it("keeps a file that a running completion works on", async () => {
  const file = writeIncoming(folder, "busy", "1/0000000001");
  age(file.path, 2 * day);
  await store.locks.run(["1/0000000001"], async () => {
    expect(await cleanIncoming(store, day)).toBe(0);
  });
  expect(existsSync(file.path)).toBe(true);
});

it("finishes an interrupted completion instead of removing its old file", async () => {
  const file = writeIncoming(folder, "kept");
  age(file.path, 2 * day);
  const record = receivedRecord(folder, file);
  await store.records.insertReceived([record]);
  expect(await cleanIncoming(store, day)).toBe(0);
  expect(existsSync(join(folder.store, "files", record.target))).toBe(true);
  expect(await store.records.find(record.id)).toMatchObject({ state: "complete" });
});

it("cleans when the service starts", async () => {
  const old = writeIncoming(folder, "old");
  age(old.path, 2 * day);
  const service = await startTestService({ folder });
  await vi.waitFor(() => expect(existsSync(old.path)).toBe(false), { timeout: 30_000 });
  await service.stop();
});

it.each([
  [1, 60_000],
  [600, 60_000],
  [6000, 600_000],
  [day, 8_640_000],
  [365 * day, 2 ** 31 - 1],
])("age %d s: a round every %d ms", (seconds, interval) => {
  expect(janitorInterval(seconds)).toBe(interval);
});
