/** What becomes of sessions that nobody comes back to, and of those that a kill interrupted. */
import type { Session } from "../records/sessions.ts";
import type { StoreParts } from "../store/complete.ts";
import { readUploadState } from "../store/upload-state.ts";
import { dataPath } from "./data.ts";
import { digestFile } from "./digest-file.ts";
import { finishSession, isCompared, settled } from "./finish.ts";
import { isBeingJoined, startJoin } from "./join.ts";
import { endOf } from "./life.ts";
import { recordOf } from "./progress.ts";
import { lockOf, removeSession } from "./remove.ts";

/** Milliseconds between two rounds. */
export const upkeepInterval = 60_000;

/** Removes what has expired; a finished upload only stops to answer for its old address. */
async function removeExpired(store: StoreParts, signal: AbortSignal | undefined): Promise<void> {
  const { sessions } = store.records;
  const now = new Date().toISOString();
  for (const { id } of await sessions.expired(now)) {
    if (signal?.aborted === true) return;
    // One of them may have taken others with it, or have heard of its client since.
    const session = await sessions.find(id);
    if (session === null) continue;
    await removeSession(store, session, async (current) => {
      if (current.expiresAt > now || (current.state === "joining" && !current.refused) || (await isBeingJoined(store, current)) || isCompared(current)) return false;
      const expiresAt = await endOf(store, current);
      if (expiresAt > now) {
        await sessions.update(id, { expiresAt });
        return false;
      }
      if (current.state === "receiving") store.log.info({ session: id, expiredAt: current.expiresAt }, "removed an upload that was not finished in time");
      return true;
    });
  }
}

/** Takes one session on from wherever it was interrupted; one that nothing has interrupted stays as it is. */
async function takeOn(store: StoreParts, session: Session, signal: AbortSignal | undefined): Promise<void> {
  if (session.state === "joining") return startJoin(store, session);
  const record = await recordOf(store, session);
  if (record !== null) return settled(store, session, record.size);
  if (session.kind !== "whole" || isCompared(session) || store.locks.held(lockOf(session))) return;
  const state = await readUploadState(dataPath(store.paths, session.data));
  if (state === null || !state.complete || state.total === null) return;
  // nginx, which knew the digests, could not tell them: the file is read once more.
  const checksums = await digestFile(dataPath(store.paths, session.data), session.digests, signal);
  await finishSession(store, session, { size: state.total, checksums }, 0, signal);
  store.log.warn({ session: session.id }, "filed an upload whose last request was interrupted");
}

/** One round over all sessions. Joins only begin in it: whatever else is to be done does not wait for them. */
export async function keepSessions(store: StoreParts, signal?: AbortSignal): Promise<void> {
  await removeExpired(store, signal);
  const isOver = (): boolean => signal?.aborted === true;
  for (const session of await store.records.sessions.open()) {
    if (isOver()) return;
    try {
      await takeOn(store, session, signal);
    } catch (error) {
      if (isOver()) return;
      store.log.error({ err: error, session: session.id }, "an interrupted upload could not be taken on");
    }
  }
}
