/** How far a session is. */
import { setTimeout } from "node:timers/promises";
import type { UploadRecord } from "../records/records.ts";
import type { Session } from "../records/sessions.ts";
import type { StoreParts } from "../store/complete.ts";
import { contiguousFrom, readUploadState } from "../store/upload-state.ts";
import { longestWait } from "../store/writers.ts";
import { dataPath } from "./data.ts";

export interface Progress {
  /** First byte of the session that is missing, from its beginning. */
  readonly offset: number;
  /** Whether nothing is left to do: for a file, that it is filed; for a part, that it has arrived. */
  readonly complete: boolean;
  /** Whether every byte of the file has arrived. */
  readonly whole: boolean;
}

/** The record of a session's file once it is complete. */
export async function recordOf(store: StoreParts, session: Session): Promise<UploadRecord | null> {
  const [record] = await store.records.ofRequest(session.id);
  return record?.state === "complete" ? record : null;
}

/**
 * How far a session is. A file whose bytes are all there without being filed was interrupted in between. Until the
 * upkeep has filed it, its offset is one short of the end, so that whoever sends the last byte again has it filed.
 */
export async function progressOf(store: StoreParts, session: Session): Promise<Progress> {
  if (session.state === "complete" || (await recordOf(store, session)) !== null) {
    return { offset: session.total ?? 0, complete: true, whole: true };
  }
  const state = await readUploadState(dataPath(store.paths, session.data));
  const arrived = contiguousFrom(state, session.base);
  const whole = state?.complete ?? false;
  if (session.kind === "part") {
    const offset = session.total === null ? arrived : Math.min(arrived, session.total);
    return { offset, complete: offset === session.total, whole };
  }
  return { offset: whole ? Math.max(0, arrived - 1) : arrived, complete: false, whole };
}

/** Milliseconds between two looks. */
const lookEvery = 20;

/**
 * Waits a moment while a request of nginx's still writes where the session stands. A client that asks for the offset
 * has given up its request: as soon as nginx knows, all that came counts, so that nothing needs to be sent again.
 */
export async function whenWriterEnds(store: StoreParts, session: Session): Promise<void> {
  const path = dataPath(store.paths, session.data);
  const end = performance.now() + longestWait;
  // The state shows a writer only when its first bytes are on the disk.
  await store.writers.ended(session.id);
  while (session.state === "receiving" && performance.now() < end) {
    const state = await readUploadState(path);
    const at = session.base + contiguousFrom(state, session.base);
    if (!(state?.claimed ?? []).some((claim) => claim.start <= at && at < claim.end)) return;
    await setTimeout(lookEvery);
  }
}
