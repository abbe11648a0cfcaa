/**
 * Parts that do not say where in a file they lie are put together after the answer: copied one behind the other, and
 * the copy is read once, since digests of parts do not add up to that of the whole.
 */
import { statfs } from "node:fs/promises";
import type { Session } from "../records/sessions.ts";
import { Refusal } from "../refusal.ts";
import type { StoreParts } from "../store/complete.ts";
import { concatenate } from "./concatenate.ts";
import { dataPath, removeIfThere, sizeOf } from "./data.ts";
import { digestFile } from "./digest-file.ts";
import { finishSession, settled } from "./finish.ts";
import { recordOf } from "./progress.ts";
import { removeSession } from "./remove.ts";

/** Files that are put together at a time: more would only make the disk go to and fro. */
export const joinsAtOnce = 2;

async function freeSpace(store: StoreParts): Promise<number> {
  const { bavail, bsize } = await statfs(store.paths.incoming);
  return bavail * bsize;
}

async function filesBeingJoined(store: StoreParts): Promise<readonly Session[]> {
  return (await store.records.sessions.open()).filter(({ state }) => state === "joining");
}

/** Bytes that files which are being put together have yet to take. */
async function spaceFor(store: StoreParts, files: readonly Session[]): Promise<number> {
  const left = files.map(async ({ id, total, data }) => {
    // A file with a record is whole, and perhaps in its place already.
    if ((await store.records.ofRequest(id)).length > 0) return 0;
    return Math.max(0, (total ?? 0) - (await sizeOf(dataPath(store.paths, data))));
  });
  return (await Promise.all(left)).reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * Refuses a file that has no room beside its parts and beside all files that wait to be put together or are.
 * @param total bytes of the file
 * @param minFreeSpace bytes that are to stay free
 * @throws {Refusal} `disk_full`
 */
export async function checkSpace(store: StoreParts, total: number, minFreeSpace: number): Promise<void> {
  // In this order: what a copy takes in between is counted twice, not never.
  const claimed = await spaceFor(store, await filesBeingJoined(store));
  if ((await freeSpace(store)) - claimed - total >= minFreeSpace) return;
  throw new Refusal("disk_full", `A file of ${total} bytes has no room beside its parts, so they were not joined; they are kept, and can be declared final again.`);
}

/** Files that have been let copy, in each store. */
const copying = new WeakMap<StoreParts, Map<string, Session>>();

/**
 * Lets a file copy when it has room beside what others that copy have yet to take.
 * @throws {Error} when it has not: to fill the disk again and again helps nobody
 */
async function claim(store: StoreParts, session: Session): Promise<() => void> {
  const others = copying.get(store) ?? new Map<string, Session>();
  copying.set(store, others);
  return store.locks.run(["join"], async () => {
    const claimed = await spaceFor(store, [...others.values()]);
    const free = (await freeSpace(store)) - claimed;
    if (free < (session.total ?? 0)) throw new Error(`no room for ${session.total} bytes: ${free} are free`);
    others.set(session.id, session);
    return () => void others.delete(session.id);
  });
}

/** Copies the parts; begun anew when it was interrupted. */
async function copyParts(store: StoreParts, session: Session, parts: readonly Session[], signal: AbortSignal): Promise<void> {
  const target = dataPath(store.paths, session.data);
  // A cat that outlives a killed service writes on, from then on into a file without a name.
  await removeIfThere(target);
  const release = await claim(store, session);
  // Nobody has made a file for a part of no bytes.
  const sources = parts.filter(({ total }) => total !== 0).map(({ data }) => data);
  await concatenate(store.paths.incoming, sources, target, store.fileMode, signal).finally(release);
}

/** Whether all parts are there with all their bytes. */
async function areThere(store: StoreParts, parts: readonly (Session | null)[]): Promise<boolean> {
  const found = await Promise.all(parts.map(async (part) => part !== null && (await sizeOf(dataPath(store.paths, part.data))) >= (part.total ?? 0)));
  return found.every(Boolean);
}

/** Joins a session's parts and files the result; the parts go when it is there. */
async function joinParts(store: StoreParts, id: string, signal: AbortSignal): Promise<void> {
  const { sessions } = store.records;
  const session = await sessions.find(id);
  if (session === null || session.refused || session.state === "complete") return;
  const record = await recordOf(store, session);
  if (record !== null) return settled(store, session, record.size);
  const found = await Promise.all(session.parts.map((part) => sessions.find(part)));
  if (!(await areThere(store, found))) {
    // Nobody removes parts of a file that is being joined: they were lost.
    await removeSession(store, session);
    store.log.error({ session: id }, "gave up a file whose parts are gone");
    return;
  }
  await copyParts(store, session, found.filter((part) => part !== null), signal);
  try {
    const checksums = await digestFile(dataPath(store.paths, session.data), session.digests, signal);
    await finishSession(store, session, { size: session.total ?? 0, checksums }, 0, signal);
  } catch (error) {
    // Nobody goes on with it: it would only take its room until it is copied anew.
    if (error === signal.reason) await removeIfThere(dataPath(store.paths, session.data));
    throw error;
  }
}

/** Ids of the parts that are being put together: they are not the client's any more, and not to be removed. */
export async function partsBeingJoined(store: StoreParts): Promise<ReadonlySet<string>> {
  return new Set((await filesBeingJoined(store)).flatMap(({ parts }) => parts));
}

/** Whether a session is a part that is being put together. */
export async function isBeingJoined(store: StoreParts, { id, kind }: Session): Promise<boolean> {
  return kind === "part" && (await partsBeingJoined(store)).has(id);
}

/** Joins when its turn has come, unless that is under way; what goes wrong is logged, and tried again by the upkeep. */
export function startJoin(store: StoreParts, { id }: Session): void {
  store.joins.run(id, (signal) => joinParts(store, id, signal)).catch((error: unknown) => store.log.error({ err: error, session: id }, "parts could not be joined"));
}

/** Removes a file that is being joined. Its parts are the client's again; those that it has given up meanwhile go, too. */
export async function cancelJoin(store: StoreParts, session: Session): Promise<void> {
  const { sessions } = store.records;
  await store.joins.without(session.id, () => removeSession(store, session));
  const now = new Date().toISOString();
  for (const id of session.parts) {
    const part = await sessions.find(id);
    if (part !== null) await removeSession(store, part, async ({ expiresAt }) => expiresAt <= now && !(await isBeingJoined(store, part)));
  }
}

/** Gives up a part: at once, or when what it is being joined to is there or given up. */
export async function cancelPart(store: StoreParts, part: Session): Promise<void> {
  await removeSession(store, part, async () => {
    if (!(await isBeingJoined(store, part))) return true;
    await store.records.sessions.update(part.id, { expiresAt: new Date().toISOString(), expireAfter: 0 });
    return false;
  });
}
