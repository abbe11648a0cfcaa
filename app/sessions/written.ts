/** What every dialect does when nginx has written a body of a session. */
import type { Session } from "../records/sessions.ts";
import type { UploadRecord } from "../records/records.ts";
import type { StoreParts } from "../store/complete.ts";
import { expiryOf } from "./begin.ts";
import type { SessionRequest, WrittenBody } from "./dialect.ts";
import { finishSession } from "./finish.ts";
import { progressOf } from "./progress.ts";

export interface Advance {
  readonly session: Session;
  /** First byte of the session that is missing. */
  readonly offset: number;
  /** The file, once it is filed. */
  readonly record: UploadRecord | null;
}

/**
 * Takes note of what was written: the session lives on from now, and a file that is whole is filed.
 * @throws {Refusal} when it cannot be filed
 */
export async function advance(store: StoreParts, request: SessionRequest, session: Session, body: WrittenBody): Promise<Advance> {
  const { sessions } = store.records;
  const expiresAt = expiryOf(request);
  const live = { ...session, expiresAt };
  if (session.kind !== "part" && body.outcome === "complete") {
    // Its row is written once, at the end; what cannot be filed now keeps the time that it had.
    const record = await finishSession(store, live, body, request.terms.maxFileSize);
    return { session: { ...live, state: "complete", total: record.size }, offset: record.size, record };
  }
  await sessions.update(session.id, { expiresAt });
  if (session.kind !== "part") return { session: live, offset: body.offset, record: null };
  if (session.fileKey !== null) await noteFile(store, session.fileKey, expiresAt, body);
  return { session: live, offset: (await progressOf(store, session)).offset, record: null };
}

async function noteFile(store: StoreParts, fileKey: string, expiresAt: string, body: WrittenBody): Promise<void> {
  const { sessions } = store.records;
  const file = await sessions.findFile(fileKey);
  if (file !== null) await sessions.update(file.id, { expiresAt, ...(body.outcome === "complete" ? { checksums: body.checksums } : {}) });
}
