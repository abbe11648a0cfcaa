/** Sessions that time, a kill or a slow comparison meets on their way into the files. */
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { finishSession } from "../../app/sessions/finish.ts";
import { bytesRead } from "../helpers/proc.ts";
import { begun, keptRound } from "../helpers/sessions.ts";
import { makeServiceFolder, type ServiceFolder, sha256 } from "../helpers/service.ts";
import { openStore, type TestStore } from "../helpers/store.ts";
import { readTree } from "../helpers/tree.ts";

let folder: ServiceFolder;
let store: TestStore;

beforeEach(async () => {
  folder = makeServiceFolder();
  mkdirSync(join(folder.store, "incoming", "sessions"));
  store = await openStore(folder);
});
afterEach(async () => {
  await store.records.close();
  rmSync(folder.root, { recursive: true, force: true });
});

const past = new Date(Date.now() - 1000).toISOString();
const files = (): string[] => readTree(join(folder.store, "files")).map(({ text }) => text);
const incoming = (): unknown[] => readTree(join(folder.store, "incoming"));

it("keeps parts whose time is over as long as they are being put together", async () => {
  const parts = [await begun(store, { kind: "part", expiresAt: past }, "one "), await begun(store, { kind: "part", expiresAt: past }, "two")];
  const joined = await begun(store, { kind: "joined", state: "joining", total: 7, parts: parts.map(({ id }) => id) });
  await keptRound(store);
  expect(files()).toEqual(["one two"]);
  expect((await store.records.sessions.find(joined.id))?.state).toBe("complete");
  expect([incoming(), await store.records.sessions.expired(past)]).toEqual([[], []]);
});

it("gives up a file whose parts are gone, and does not say for ever that it is put together", async () => {
  const part = await begun(store, { kind: "part" }, "one");
  const joined = await begun(store, { kind: "joined", state: "joining", total: 7, parts: [part.id, store.makeId()] });
  await keptRound(store);
  expect(await store.records.sessions.find(joined.id)).toBeNull();
  expect(store.lines.map(({ msg }) => msg)).toContain("gave up a file whose parts are gone");
  expect([files(), incoming().length]).toEqual([[], 1]);
});

it("does not put parts together again when the file was filed before a kill", async () => {
  const part = await begun(store, { kind: "part" }, "one");
  const joined = await begun(store, { kind: "joined", state: "joining", total: 3, parts: [part.id] }, "one");
  await finishSession(store, { ...joined, kind: "whole" }, { size: 3, checksums: { sha256: sha256("one") } }, 0);
  await store.records.sessions.update(joined.id, { state: "joining" });
  await keptRound(store);
  expect([files(), incoming()]).toEqual([["one"], []]);
  expect([await store.records.sessions.find(part.id), (await store.records.sessions.find(joined.id))?.state]).toEqual([null, "complete"]);
});

it("reads a file once for a digest that nobody has computed, however often it is asked for meanwhile", async () => {
  const bytes = randomBytes(32 * 1024 * 1024);
  const announced = `sha-512=:${createHash("sha512").update(bytes).digest("base64")}:`;
  const session = await begun(store, { announced }, bytes);
  const data = { size: bytes.length, checksums: { sha256: sha256(bytes) } };
  const before = bytesRead([process.pid]);
  const records = await Promise.all([finishSession(store, session, data, 0), finishSession(store, session, data, 0), finishSession(store, session, data, 0)]);
  expect(new Set(records.map(({ id }) => id)).size).toBe(1);
  expect((bytesRead([process.pid]) - before) / bytes.length).toBeLessThan(1.5);
  expect(await finishSession(store, session, data, 0)).toEqual(records[0]);
  expect(incoming()).toEqual([]);
});
