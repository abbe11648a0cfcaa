/** The uploads that are under way, as they are shown. */
import { stat } from "node:fs/promises";
import { safeFileName } from "../../protocol/file-name.ts";
import type { Session } from "../records/sessions.ts";
import { systemCode } from "../refusal.ts";
import type { StoreParts } from "../store/complete.ts";
import { readUploadState } from "../store/upload-state.ts";
import { dataPath } from "./data.ts";

/** An upload that is not complete; without what only its client may know, the id that more can be sent to. */
export interface ReceivingView {
  readonly name: string;
  /** Bytes; null while the client has not said. */
  readonly size: number | null;
  /** Bytes that have arrived. */
  readonly received: number;
  readonly contentType: string | null;
  readonly state: "receiving" | "joining";
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return 0;
    throw error;
  }
}

/** While nginx writes, the state is behind; a file that grows from its beginning shows more by its size. */
async function receivedOf(store: StoreParts, session: Session): Promise<number> {
  const path = dataPath(store.paths, session.data);
  const size = session.kind === "file" ? 0 : await sizeOf(path);
  const counted = ((await readUploadState(path))?.received ?? []).reduce((sum, { start, end }) => sum + end - start, 0);
  return Math.max(counted, size);
}

/** Uploads under way, oldest first; parts that are written into one file are shown as that file. */
export async function listReceiving(store: StoreParts): Promise<readonly ReceivingView[]> {
  const sessions = (await store.records.sessions.open()).filter(({ kind, fileKey }) => kind !== "part" || fileKey === null);
  return Promise.all(
    sessions.map(async (session) => ({
      name: safeFileName(session.name),
      size: session.total,
      received: await receivedOf(store, session),
      contentType: session.contentType === "" ? null : session.contentType,
      state: session.state === "joining" ? "joining" : "receiving",
      startedAt: session.createdAt,
      expiresAt: session.expiresAt,
    })),
  );
}
