import { rmSync } from "node:fs";
import Database from "libsql";
import { afterEach, beforeEach, expect, it } from "vitest";
import { migrations } from "../../app/records/migrations.ts";
import type { ListSort } from "../../protocol/list-sort.ts";
import type { Records, UploadRecord } from "../../app/records/records.ts";
import { openSqlite } from "../../app/records/sqlite.ts";
import { makeServiceFolder, type ServiceFolder, writeIncoming } from "../helpers/service.ts";
import { receivedRecord } from "../helpers/store.ts";

let folder: ServiceFolder;
let records: Records;

beforeEach(() => {
  folder = makeServiceFolder();
  records = openSqlite(folder.database);
});

afterEach(async () => {
  await records.close();
  rmSync(folder.root, { recursive: true, force: true });
});

it("keeps every field of a record", async () => {
  const record = receivedRecord(folder, writeIncoming(folder, "x"), {
    name: "é🚀 'quoted\".txt",
    size: 9_007_199_254_740_991,
    contentType: "text/plain",
    checksums: { sha256: "ab".repeat(32), crc32: "00000000" },
    description: "two\nlines",
    remoteAddress: "2001:db8::1",
    modified: 1_795_380_000_123_456_789n,
  });
  await records.insertReceived([record]);
  expect(await records.find(record.id)).toEqual(record);
  expect(await records.ofRequest(record.requestId)).toEqual([record]);
  expect(await records.unsettled()).toEqual([record]);
});

it("inserts the records of a form together or not at all", async () => {
  const first = receivedRecord(folder, writeIncoming(folder, "1"));
  const second = receivedRecord(folder, writeIncoming(folder, "2"), { requestId: first.requestId, source: first.source });
  await expect(records.insertReceived([first, second])).rejects.toThrow("UNIQUE");
  expect(await records.find(first.id)).toBeNull();
  await records.insertReceived([first]);
  expect(await records.find(first.id)).not.toBeNull();
});

it("commits what comes at the same time together, and what fails there takes no other with it", async () => {
  const made = Array.from({ length: 5 }, (_, n) => receivedRecord(folder, writeIncoming(folder, `${n}`)));
  const [first, second, third, fourth, fifth] = made as [UploadRecord, UploadRecord, UploadRecord, UploadRecord, UploadRecord];
  const clashing = { ...third, requestId: second.requestId, source: second.source };
  const reader = new Database(folder.database);
  const count = (): number => (reader.prepare("SELECT count(*) AS n FROM uploads").get([]) as { n: number }).n;
  let early: number | undefined;
  const outcomes = await Promise.allSettled([
    records.insertReceived([first]).then(() => (early = count())),
    records.insertReceived([second, clashing]),
    records.insertReceived([fourth]),
    records.insertReceived([fifth]),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
  expect(early).toBeGreaterThan(0);
  expect((await records.unsettled()).map(({ id }) => id).sort()).toEqual([first.id, fourth.id, fifth.id].sort());
  reader.close();
});

it("has written what it was given before it closes", async () => {
  const record = receivedRecord(folder, writeIncoming(folder, "1"));
  const written = records.insertReceived([record]);
  await records.close();
  await written;
  records = openSqlite(folder.database);
  expect(await records.find(record.id)).not.toBeNull();
});

it("lists what is complete, and refuses to mark it again", async () => {
  const record = receivedRecord(folder, writeIncoming(folder, "1"));
  await records.insertReceived([record]);
  const all = { limit: 10, after: null, text: "" };
  expect((await records.list(all)).records).toEqual([]);
  await records.markComplete([record.id], "2026-01-01T00:00:00.000Z");
  await expect(records.markComplete([record.id], "2027-01-01T00:00:00.000Z")).rejects.toThrow("no longer in state received");
  expect((await records.list(all)).records).toEqual([{ ...record, state: "complete", completedAt: "2026-01-01T00:00:00.000Z" }]);
});

it("lists in any order, page by page, and misses none", async () => {
  const names = ["b.txt", "Ä.txt", "a.txt", "B.txt", "c.txt", "a.txt"];
  const made = names.map((name, index) => receivedRecord(folder, writeIncoming(folder, name), { name, size: [5, 3, 5, 9, 3, 5][index]! }));
  await records.insertReceived(made);
  await records.markComplete(made.map(({ id }) => id), "2026-01-01T00:00:00.000Z");
  const read = async (sort: ListSort): Promise<string[]> => {
    const found: UploadRecord[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const page = await records.list({ limit: 2, after, text: "", sort });
      found.push(...page.records);
      after = page.next;
      more = after !== null;
    }
    expect(new Set(found.map(({ id }) => id)).size).toBe(names.length);
    return found.map(({ name, size }) => `${name} ${size}`);
  };
  expect(await read("name")).toEqual(["a.txt 5", "a.txt 5", "b.txt 5", "B.txt 9", "c.txt 3", "Ä.txt 3"]);
  for (const key of ["name", "size", "time"] as const) expect(await read(`-${key}`)).toEqual((await read(key)).reverse());
  expect((await read("size")).map((text) => text.slice(-1)).join("")).toBe("335559");
  expect(await read("time")).toEqual(made.map(({ name, size }) => `${name} ${size}`));
});

it("makes commits durable", () => {
  const database = new Database(folder.database);
  expect(database.pragma("journal_mode")).toEqual([{ journal_mode: "wal" }]);
  expect(database.pragma("user_version")).toEqual([{ user_version: migrations.length }]);
  database.close();
});

it("opens a database again that has every migration, and one that has none", async () => {
  const record = receivedRecord(folder, writeIncoming(folder, "1"));
  await records.insertReceived([record]);
  const again = openSqlite(folder.database);
  expect(await again.find(record.id)).toEqual(record);
  await again.close();
});

it("brings a database of an older version up to date, and finds a file by its folder", async () => {
  const old = new Database(`${folder.database}.old`);
  for (const { sql } of migrations.slice(0, 2)) old.exec(sql);
  old.pragma("user_version = 2");
  old.close();
  const again = openSqlite(`${folder.database}.old`);
  const record = receivedRecord(folder, writeIncoming(folder, "1"), { folder: "Läufe/17" });
  await again.insertReceived([record]);
  await again.markComplete([record.id], "2026-01-01T00:00:00.000Z");
  for (const text of ["läufe/", "17/name", "name.bin"]) expect((await again.list({ limit: 10, after: null, text })).records).toMatchObject([{ folder: "Läufe/17" }]);
  await again.close();
});

it("does not touch a database of a newer version", async () => {
  await records.close();
  const database = new Database(folder.database);
  database.pragma("user_version = 99");
  database.close();
  expect(() => openSqlite(folder.database)).toThrow(`schema 99 is newer than this service knows (${migrations.length}); start the newer service`);
  const reset = new Database(folder.database);
  reset.pragma(`user_version = ${migrations.length}`);
  reset.close();
  records = openSqlite(folder.database);
});
