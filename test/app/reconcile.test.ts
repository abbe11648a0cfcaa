/** Every state that a kill can leave, made by hand, and what the next start makes of it. */
import { existsSync, mkdirSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { UploadRecord } from "../../app/records/records.ts";
import { settle } from "../../app/store/complete.ts";
import { makeServiceFolder, type ServiceFolder, startTestService, type TestService, writeIncoming } from "../helpers/service.ts";
import { openStore, receivedRecord } from "../helpers/store.ts";
import { readTree } from "../helpers/tree.ts";

let folder: ServiceFolder;

beforeEach(() => {
  folder = makeServiceFolder();
});

afterEach(() => rmSync(folder.root, { recursive: true, force: true }));

async function leave(records: readonly UploadRecord[]): Promise<void> {
  const store = await openStore(folder);
  await store.records.insertReceived(records);
  await store.records.close();
}

async function listed(service: TestService): Promise<string[]> {
  const { uploads } = (await (await service.ask("/api/uploads")).json()) as { uploads: { id: string }[] };
  return uploads.map(({ id }) => id);
}

/** Starts the service on what was left, and stops it. */
async function restart<T>(look: (service: TestService) => Promise<T>): Promise<T> {
  const service = await startTestService({ folder });
  try {
    await service.swept;
    return await look(service);
  } finally {
    await service.stop();
  }
}

function targetOf(record: UploadRecord): string {
  return join(folder.store, "files", record.target);
}

it("finishes an upload that was recorded and not renamed", async () => {
  const record = receivedRecord(folder, writeIncoming(folder, "hello"));
  await leave([record]);
  expect(await restart(listed)).toEqual([record.id]);
  expect(readTree(folder.store)).toEqual([{ path: `files/${record.target}`, text: "hello" }]);
  expect((statSync(dirname(targetOf(record))).mode & 0o7777).toString(8)).toBe("2770");
});

it("finishes an upload that was renamed and not marked", async () => {
  const file = writeIncoming(folder, "hello");
  const record = receivedRecord(folder, file);
  await leave([record]);
  mkdirSync(dirname(targetOf(record)), { recursive: true });
  renameSync(file.path, targetOf(record));
  expect(await restart(listed)).toEqual([record.id]);
  expect(readTree(folder.store)).toEqual([{ path: `files/${record.target}`, text: "hello" }]);
});

it("finishes a form of which one file was renamed", async () => {
  const files = [writeIncoming(folder, "one"), writeIncoming(folder, "two")];
  const records = files.map((file) => receivedRecord(folder, file, { requestId: "same-request" }));
  await leave(records);
  mkdirSync(dirname(targetOf(records[0]!)), { recursive: true });
  renameSync(files[0]!.path, targetOf(records[0]!));
  expect(await restart(listed)).toEqual(records.map(({ id }) => id).reverse());
  expect(readTree(folder.store).map(({ text }) => text)).toEqual(["one", "two"]);
});

it("forgets an upload whose file nginx has cleaned away", async () => {
  const file = writeIncoming(folder, "hello");
  const record = receivedRecord(folder, file);
  await leave([record]);
  unlinkSync(file.path);
  mkdirSync(dirname(targetOf(record)), { recursive: true });
  expect(await restart(listed)).toEqual([]);
  expect(existsSync(dirname(targetOf(record)))).toBe(false);
  expect(await restart(async (service) => service.log.filter(({ level }) => level === "warn" || level === "error"))).toEqual([]);
});

it("forgets the whole form when one of its files is gone", async () => {
  const files = [writeIncoming(folder, "one"), writeIncoming(folder, "two")];
  const records = files.map((file) => receivedRecord(folder, file, { requestId: "same-request" }));
  await leave(records);
  mkdirSync(dirname(targetOf(records[0]!)), { recursive: true });
  renameSync(files[0]!.path, targetOf(records[0]!));
  unlinkSync(files[1]!.path);
  expect(await restart(listed)).toEqual([]);
  expect(readTree(folder.store)).toEqual([]);
});

it("does not take a later upload under the same name for the one that was recorded", async () => {
  const file = writeIncoming(folder, "early", "1/0000000001");
  const record = receivedRecord(folder, file);
  await leave([record]);
  unlinkSync(file.path);
  writeIncoming(folder, "later", "1/0000000001");
  expect(await restart(listed)).toEqual([]);
  expect(readTree(folder.store)).toEqual([{ path: "incoming/1/0000000001", text: "later" }]);
});

it("removes empty directories that an undone completion left", async () => {
  const record = receivedRecord(folder, writeIncoming(folder, "x"), { target: "2020-01-01/01DXF6DT000000000000000000/x" });
  mkdirSync(dirname(targetOf(record)), { recursive: true });
  await restart(async () => undefined);
  expect(existsSync(join(folder.store, "files", "2020-01-01"))).toBe(false);
});

it("reports files that no record knows, and leaves them alone", async () => {
  const stray = join(folder.store, "files", "2020-01-01", "01DXF6DT000000000000000000", "stray.txt");
  const foreign = join(folder.store, "files", "2020-01-01", "by hand", "note.txt");
  for (const path of [stray, foreign]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "x");
  }
  const errors = await restart(async (service) => service.log.filter(({ level }) => level === "error"));
  expect(errors.map(({ path }) => path).sort()).toEqual([dirname(stray), dirname(foreign)].sort());
  expect(readTree(folder.store)).toHaveLength(2);
});

it("reports nothing about uploads that are complete", async () => {
  const record = receivedRecord(folder, writeIncoming(folder, "hello"));
  await leave([record]);
  await restart(listed);
  expect(await restart(async (service) => service.log.map(({ msg }) => msg))).not.toContain("files without a record; left alone");
});

it("undoes a form when one of its files goes away between the check and the rename", async () => {
  const store = await openStore(folder);
  const files = [writeIncoming(folder, "one"), writeIncoming(folder, "two")];
  const records = files.map((file) => receivedRecord(folder, file, { requestId: "same-request" }));
  await store.records.insertReceived(records);
  unlinkSync(files[1]!.path);
  await expect(settle(store, records)).rejects.toMatchObject({ code: "upload_gone" });
  expect(await store.records.unsettled()).toEqual([]);
  expect(await store.records.find(records[0]!.id)).toBeNull();
  expect(readTree(folder.store)).toEqual([]);
  await store.records.close();
});
