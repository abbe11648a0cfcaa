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

async function freeSpace(store: StoreParts): Promise<number> {
  const { bavail, bsize } = await statfs(store.paths.incoming);
  return bavail * bsize;
}

async function filesBeingJoined(store: StoreParts): Promise<readonly Session[]> {
  return (await store.records.sessions.open()).filter(({ state }) => state === "joining");
}

/** Bytes that files which are being put together have yet to take. */
async function claimedSpace(store: StoreParts): Promise<number> {
  const left = (await filesBeingJoined(store)).map(async ({ total, data }) => Math.max(0, (total ?? 0) - (await sizeOf(dataPath(store.paths, data)))));
  return (await Promise.all(left)).reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * Refuses a file that has no room beside its parts.
 * @param total bytes of the file
 * @param minFreeSpace bytes that are to stay free
 * @throws {Refusal} `disk_full`
 */
export async function checkSpace(store: StoreParts, total: number, minFreeSpace: number): Promise<void> {
  if ((await freeSpace(store)) - (await claimedSpace(store)) - total >= minFreeSpace) return;
  throw new Refusal("disk_full", `A file of ${total} bytes has no room beside its parts, so they were not joined; they are kept, and can be declared final again.`);
}

/** Copies the parts; begun anew when it was interrupted. */
async function copyParts(store: StoreParts, session: Session, parts: readonly Session[]): Promise<void> {
  const target = dataPath(store.paths, session.data);
  // A cat that outlives a killed service writes on, from then on into a file without a name.
  await removeIfThere(target);
  // Others may have taken the room since the parts were declared: to fill the disk again and again helps nobody.
  const free = await freeSpace(store);
  if (free < (session.total ?? 0)) throw new Error(`no room for ${session.total} bytes: ${free} are free`);
  // Nobody has made a file for a part of no bytes.
  const sources = parts.filter(({ total }) => total !== 0).map(({ data }) => data);
  await concatenate(store.paths.incoming, sources, target, store.fileMode);
}

/** Whether all parts are there with all their bytes. */
async function areThere(store: StoreParts, parts: readonly (Session | null)[]): Promise<boolean> {
  const found = await Promise.all(parts.map(async (part) => part !== null && (await sizeOf(dataPath(store.paths, part.data))) >= (part.total ?? 0)));
  return found.every(Boolean);
}

/** Joins a session's parts and files the result; the parts go when it is there. */
export async function joinParts(store: StoreParts, session: Session): Promise<void> {
  const { sessions } = store.records;
  await store.locks.run([`join ${session.id}`], async () => {
    const current = await sessions.find(session.id);
    if (current === null || current.refused || current.state === "complete") return;
    const found = await Promise.all(session.parts.map((id) => sessions.find(id)));
    const parts = found.filter((part) => part !== null);
    const record = await recordOf(store, session);
    if (record !== null) {
      await settled(store, session, record.size);
    } else if (!(await areThere(store, found))) {
      // Nobody removes parts of a file that is being joined: they were lost.
      await removeSession(store, session);
      store.log.error({ session: session.id }, "gave up a file whose parts are gone");
      return;
    } else {
      await copyParts(store, session, parts);
      const checksums = await digestFile(dataPath(store.paths, session.data), session.digests);
      await finishSession(store, session, { size: session.total ?? 0, checksums }, 0);
    }
    for (const part of parts) await removeSession(store, part);
  });
}

/** Ids of the parts that are being put together: they are not the client's any more, and not to be removed. */
export async function partsBeingJoined(store: StoreParts): Promise<ReadonlySet<string>> {
  return new Set((await filesBeingJoined(store)).flatMap(({ parts }) => parts));
}

/** Joins in the background; what goes wrong is logged, and tried again by the upkeep. */
export function startJoin(store: StoreParts, session: Session): void {
  joinParts(store, session).catch((error: unknown) => store.log.error({ err: error, session: session.id }, "parts could not be joined"));
}
