/** Uploads whose row says that their time is over, while their bytes say something else. */
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Session } from "../../app/records/sessions.ts";
import { dataPath } from "../../app/sessions/data.ts";
import { findSession } from "../../app/sessions/find.ts";
import { finishSession } from "../../app/sessions/finish.ts";
import { keepSessions } from "../../app/sessions/upkeep.ts";
import { begun } from "../helpers/sessions.ts";
import { makeServiceFolder, type ServiceFolder, sha256 } from "../helpers/service.ts";
import { openStore, type TestStore } from "../helpers/store.ts";

const MINUTE = 60_000;
const ago = (minutes: number): string => new Date(Date.now() - minutes * MINUTE).toISOString();
/** Begun an hour ago, and waiting for ten minutes since a body ended half an hour ago. */
const over: Partial<Session> = { createdAt: ago(60), expiresAt: ago(20), expireAfter: 600 };

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

/** A session whose data was written so many minutes ago. */
async function written(minutes: number, changes: Partial<Session> = {}): Promise<Session> {
  const session = await begun(store, { ...over, ...changes }, "some");
  const at = Date.now() / 1000 - minutes * 60;
  utimesSync(dataPath(store.paths, session.data), at, at);
  return session;
}

/** Minutes that a session is said to have still; nothing when it is over, and then also for the upkeep. */
async function left(session: Session): Promise<number | undefined> {
  const found = await findSession(store, "tus", session.id).catch(() => undefined);
  await keepSessions(store);
  const row = await store.records.sessions.find(session.id);
  expect(row?.expiresAt).toBe(found?.expiresAt);
  return row === null ? undefined : Math.round((Date.parse(row.expiresAt) - Date.now()) / MINUTE);
}

it.each([[0, 10], [9, 1], [11, undefined]])("gives an upload ten minutes from its last byte %d minutes ago on", async (minutes, expected) => {
  expect(await left(await written(minutes))).toBe(expected);
});

it("goes by the row alone where it does not say how long the site waits, as rows of older versions", async () => {
  expect(await left(await written(0, { expireAfter: 0 }))).toBeUndefined();
});

it("keeps a finished part as long as bytes of its file come", async () => {
  const file = await written(1, { kind: "file", fileKey: "a-file-of-some-parts" });
  const part = await begun(store, { ...over, kind: "part", fileKey: "a-file-of-some-parts", data: file.data, total: 2, fileTotal: 4 });
  expect([await left(part), await left(file)]).toEqual([9, 9]);
});

const part: Partial<Session> = { kind: "part", remoteAddress: "192.0.2.1" };
it.each([
  ["one that was begun with it", ago(60), "192.0.2.1", 9],
  ["one that was begun while it had time", ago(21), "192.0.2.1", 9],
  ["none that was begun later", ago(19), "192.0.2.1", undefined],
  ["none of another address", ago(60), "192.0.2.2", undefined],
])("keeps a finished part without a place for the others under way: %s", async (_, createdAt, remoteAddress, expected) => {
  const finished = await written(30, part);
  await written(1, { ...part, createdAt, remoteAddress });
  expect(await left(finished)).toBe(expected);
});

it("keeps an upload that is being compared with what was announced of it", async () => {
  const bytes = randomBytes(16 * 1024 * 1024);
  const session = await begun(store, { ...over, expireAfter: 0, announced: `sha-512=:${createHash("sha512").update(bytes).digest("base64")}:` }, bytes);
  const filing = finishSession(store, session, { size: bytes.length, checksums: { sha256: sha256(bytes) } }, 0);
  await keepSessions(store);
  expect((await filing).state).toBe("complete");
});
