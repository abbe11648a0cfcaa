/** PATCH: the next bytes of an upload. */
import { firstTypedVersion, parseLength, partialUploadType } from "../../../protocol/resumable.ts";
import type { Session } from "../../records/sessions.ts";
import { Refusal } from "../../refusal.ts";
import type { StoreParts } from "../../store/complete.ts";
import { checkLength, checkRoom, placeOf } from "../begin.ts";
import type { Plan, SessionRequest } from "../dialect.ts";
import { finishEmpty } from "../finish.ts";
import { progressOf, recordOf } from "../progress.ts";
import { checkBodyType } from "../tus/answers.ts";
import { completeOf, finished, unfinished } from "./answers.ts";
import { lengthOf } from "./create.ts";

function withLength(session: Session, request: SessionRequest, offset: number, complete: boolean): Session {
  const total = lengthOf(request, offset, complete);
  if (total === null || total === session.total) return session;
  if (session.total !== null) throw new Refusal("other_length");
  checkLength(request, total);
  return { ...session, total };
}

export async function decideAppend(store: StoreParts, request: SessionRequest, found: Session): Promise<Plan> {
  const version = parseLength(request.header("Upload-Draft-Interop-Version")) ?? firstTypedVersion;
  if (version >= firstTypedVersion) checkBodyType(request, partialUploadType);
  const offset = parseLength(request.header("Upload-Offset"));
  if (offset === undefined) throw new Refusal("bad_header", "Upload-Offset: must be the offset that the body begins at.");
  const complete = completeOf(request);
  // A browser sends a request again by itself when its connection breaks, without asking for the offset.
  await store.writers.ended(found.id);
  const progress = await progressOf(store, found);
  if (offset !== progress.offset) {
    throw new Refusal("wrong_offset", `Upload-Offset: got ${offset}, but the upload stands at ${progress.offset}.`, { headers: { "Upload-Offset": String(progress.offset) } });
  }
  const record = progress.complete ? await recordOf(store, found) : null;
  // "If the client attempted to append a non-zero length document, the server MUST treat this as an inconsistent length failure."
  if (record !== null) checkRoom(found, offset, request);
  if (record !== null) return { kind: "answer", give: async () => finished(request, found, record, false) };
  const session = withLength(found, request, offset, complete);
  checkRoom(session, offset, request);
  const keepLength = async (): Promise<void> => {
    if (session.total !== found.total) await store.records.sessions.update(session.id, { total: session.total });
  };
  if (request.bodyLength === 0 && (!complete || offset === 0)) return { kind: "answer", give: () => withoutBody(store, request, session, complete, keepLength) };
  return {
    kind: "write",
    async open() {
      await keepLength();
      return placeOf(store, session, offset);
    },
  };
}

async function withoutBody(store: StoreParts, request: SessionRequest, session: Session, complete: boolean, keepLength: () => Promise<void>): ReturnType<(Plan & { kind: "answer" })["give"]> {
  await keepLength();
  if (complete) return finished(request, session, await finishEmpty(store, session, request.terms.checksums), false);
  return unfinished(request, session, (await progressOf(store, session)).offset, false);
}
