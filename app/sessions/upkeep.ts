/** What becomes of sessions that nobody comes back to, and of those that a kill interrupted. */
import type { Session } from "../records/sessions.ts";
import type { StoreParts } from "../store/complete.ts";
import { readUploadState } from "../store/upload-state.ts";
import { dataPath } from "./data.ts";
import { digestFile } from "./digest-file.ts";
import { finishSession, isCompared, settled } from "./finish.ts";
import { endOf } from "./life.ts";
import { joinParts, partsBeingJoined } from "./join.ts";
import { recordOf } from "./progress.ts";
import { removeSession } from "./remove.ts";

/** Milliseconds between two rounds. */
export const upkeepInterval = 60_000;

/** Removes what has expired; a finished upload only stops to answer for its old address. */
async function removeExpired(store: StoreParts, signal: AbortSignal | undefined): Promise<void> {
  const { sessions } = store.records;
  const joined = await partsBeingJoined(store);
  for (const session of await sessions.expired(new Date().toISOString())) {
    if (signal?.aborted === true) return;
    if ((session.state === "joining" && !session.refused) || joined.has(session.id) || isCompared(session)) continue;
    const expiresAt = await endOf(store, session);
    if (expiresAt > new Date().toISOString()) {
      await sessions.update(session.id, { expiresAt });
      continue;
    }
    await removeSession(store, session);
    if (session.state === "receiving") store.log.info({ session: session.id, expiredAt: session.expiresAt }, "removed an upload that was not finished in time");
  }
}

/** Takes one session on from wherever it was interrupted; one that nothing has interrupted stays as it is. */
async function takeOn(store: StoreParts, session: Session): Promise<void> {
  if (session.state === "joining") return joinParts(store, session);
  const record = await recordOf(store, session);
  if (record !== null) return settled(store, session, record.size);
  if (session.kind !== "whole" || isCompared(session)) return;
  const state = await readUploadState(dataPath(store.paths, session.data));
  if (state === null || !state.complete || state.total === null) return;
  // nginx, which knew the digests, could not tell them: the file is read once more.
  const checksums = await digestFile(dataPath(store.paths, session.data), session.digests);
  await finishSession(store, session, { size: state.total, checksums }, 0);
  store.log.warn({ session: session.id }, "filed an upload whose last request was interrupted");
}

/** One round over all sessions. */
export async function keepSessions(store: StoreParts, signal?: AbortSignal): Promise<void> {
  await removeExpired(store, signal);
  for (const session of await store.records.sessions.open()) {
    if (signal?.aborted === true) return;
    try {
      await takeOn(store, session);
    } catch (error) {
      store.log.error({ err: error, session: session.id }, "an interrupted upload could not be taken on");
    }
  }
}
