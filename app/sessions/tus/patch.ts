/** tus PATCH: the next bytes of an upload. */
import { parseByteCount } from "../../../protocol/byte-count.ts";
import { tusBodyType } from "../../../protocol/tus.ts";
import type { Session } from "../../records/sessions.ts";
import { Refusal } from "../../refusal.ts";
import type { StoreParts } from "../../store/complete.ts";
import { checkLength, checkRoom, placeOf } from "../begin.ts";
import type { Plan, SessionRequest } from "../dialect.ts";
import { findSession } from "../find.ts";
import { finishEmpty } from "../finish.ts";
import { progressOf } from "../progress.ts";
import { checkBodyType, idOf } from "./answers.ts";

/** The session with the length that a request declares for it, where that was left open. */
function withLength(session: Session, request: SessionRequest): Session {
  const length = parseByteCount(request.header("Upload-Length"));
  if (length === undefined || length === session.total) return session;
  if (session.total !== null) throw new Refusal("other_length");
  checkLength(request, length);
  return { ...session, total: length };
}

export async function decidePatch(store: StoreParts, request: SessionRequest): Promise<Plan> {
  checkBodyType(request, tusBodyType);
  const offset = parseByteCount(request.header("Upload-Offset"));
  if (offset === undefined) throw new Refusal("bad_header", "Upload-Offset: missing; the bytes of a PATCH begin at the upload's offset.");
  const found = await findSession(store, "tus", idOf(request.path));
  if (found.kind === "joined" || found.kind === "file") throw new Refusal("upload_final");
  // A browser sends a request again by itself when its connection breaks, without asking for the offset.
  await store.writers.ended(found.id);
  const progress = await progressOf(store, found);
  const session = withLength(found, request);
  if (offset !== progress.offset) {
    throw new Refusal("wrong_offset", `Upload-Offset: got ${offset}, but the upload stands at ${progress.offset}.`, { headers: { "Upload-Offset": String(progress.offset) } });
  }
  if (session.total !== null && session.total < offset) throw new Refusal("other_length", `Upload-Length: got ${session.total}, but ${offset} bytes have arrived.`);
  checkRoom(session, offset, request);
  if (progress.complete) return { kind: "answer", give: async () => ({ status: 204, headers: { "Upload-Offset": String(offset) } }) };
  const keepLength = async (): Promise<void> => {
    if (session.total !== found.total) await store.records.sessions.update(session.id, { total: session.total });
  };
  if (session.total === 0 && session.kind === "whole") return { kind: "answer", give: async () => emptyAnswer(store, request, session, keepLength) };
  return {
    kind: "write",
    async open() {
      await keepLength();
      return placeOf(store, session, offset);
    },
  };
}

async function emptyAnswer(store: StoreParts, request: SessionRequest, session: Session, keepLength: () => Promise<void>): Promise<{ status: number; headers: Record<string, string> }> {
  await keepLength();
  await finishEmpty(store, session, request.terms.checksums);
  return { status: 204, headers: { "Upload-Offset": "0" } };
}
