/** The uploads that are under way, as they are shown. */
import { safeFileName } from "../../protocol/file-name.ts";
import type { DialectName, Session } from "../records/sessions.ts";
import type { StoreParts } from "../store/complete.ts";
import { readUploadState } from "../store/upload-state.ts";
import type { CountedUpload } from "./counted.ts";
import { dataPath, sizeOf } from "./data.ts";

/** An upload that is not complete; without what only its client may know, the id that more can be sent to. */
export interface ReceivingView {
  /** Of the request, where no session stands for the upload and the client has given no id of its own. */
  readonly id: string | null;
  readonly name: string;
  /** Bytes; null while the client has not said. */
  readonly size: number | null;
  /** Bytes that have arrived. */
  readonly received: number;
  readonly contentType: string | null;
  readonly state: "receiving" | "joining";
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** ISO 8601, UTC; null for what ends with its request. */
  readonly expiresAt: string | null;
  /** The session's, or the way in which nginx takes the body. */
  readonly protocol: DialectName | "form" | "raw" | "ranged";
}

/** While nginx writes, the state is behind; a file that grows from its beginning shows more by its size. */
async function receivedOf(store: StoreParts, session: Session): Promise<number> {
  const path = dataPath(store.paths, session.data);
  const size = session.kind === "file" ? 0 : await sizeOf(path);
  const counted = ((await readUploadState(path))?.received ?? []).reduce((sum, { start, end }) => sum + end - start, 0);
  return Math.max(counted, size);
}

async function viewOfSession(store: StoreParts, session: Session): Promise<ReceivingView> {
  return {
    id: null,
    name: safeFileName(session.name),
    size: session.total,
    received: await receivedOf(store, session),
    contentType: session.contentType === "" ? null : session.contentType,
    state: session.state === "joining" ? "joining" : "receiving",
    startedAt: session.createdAt,
    expiresAt: session.expiresAt,
    protocol: session.dialect,
  };
}

/** Pieces are shown as the session that they belong to. */
function viewsOfCounted(counted: readonly CountedUpload[]): ReceivingView[] {
  return counted.flatMap(({ id, given, name, size, received, started, protocol }) => {
    if (protocol === "piece") return [];
    const startedAt = new Date(started * 1000).toISOString();
    return [{ id: given ? null : id, name: safeFileName(name), size, received, contentType: null, state: "receiving", startedAt, expiresAt: null, protocol }];
  });
}

/**
 * Uploads under way, oldest first; parts that are written into one file are shown as that file.
 * @param counted what nginx counts, beside the sessions
 */
export async function listReceiving(store: StoreParts, counted: readonly CountedUpload[]): Promise<readonly ReceivingView[]> {
  const sessions = (await store.records.sessions.open()).filter(({ kind, fileKey }) => kind !== "part" || fileKey === null);
  const views = await Promise.all(sessions.map((session) => viewOfSession(store, session)));
  return [...views, ...viewsOfCounted(counted)].sort((a, b) => a.startedAt.localeCompare(b.startedAt));
}
