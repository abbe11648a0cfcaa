/** Resumable Uploads for HTTP (draft-ietf-httpbis-resumable-upload) over the sessions of the service. */
import { interopVersions, parseBoolean, parseLength, resourceId, resumableHeaders, writeBoolean } from "../../../protocol/resumable.ts";
import type { Session } from "../../records/sessions.ts";
import { Refusal } from "../../refusal.ts";
import type { StoreParts } from "../../store/complete.ts";
import { checkDigests } from "../begin.ts";
import type { Dialect, DialectAnswer, Plan, SessionRequest, WrittenBody } from "../dialect.ts";
import { digestHeader } from "../digest-header.ts";
import { findSession } from "../find.ts";
import { progressOf, recordOf, whenWriterEnds } from "../progress.ts";
import { removeSession } from "../remove.ts";
import { advance } from "../written.ts";
import { finished, limitHeader, supportHeaders, unfinished } from "./answers.ts";
import { decideAppend } from "./append.ts";
import { decideCreate } from "./create.ts";

/** Whether a request speaks this dialect: it names an upload resource, or begins one. */
export function isResumable(request: SessionRequest): boolean {
  return resourceId(request.path) !== undefined || request.header("Upload-Complete") !== "";
}

async function head(store: StoreParts, request: SessionRequest, session: Session): Promise<DialectAnswer> {
  await whenWriterEnds(store, session);
  const progress = await progressOf(store, session);
  const record = progress.complete ? await recordOf(store, session) : null;
  return {
    status: 204,
    headers: {
      "Upload-Offset": String(progress.offset),
      "Upload-Complete": writeBoolean(progress.complete),
      ...(session.total === null ? {} : { "Upload-Length": String(session.total) }),
      ...digestHeader(request.header("Want-Repr-Digest"), record?.checksums),
    },
  };
}

async function cancel(store: StoreParts, session: Session): Promise<DialectAnswer> {
  await removeSession(store, session);
  return { status: 204 };
}

async function decide(store: StoreParts, request: SessionRequest): Promise<Plan> {
  const version = request.header("Upload-Draft-Interop-Version");
  if (version !== "" && !interopVersions.includes(parseLength(version) ?? Number.NaN)) {
    throw new Refusal("bad_header", `Upload-Draft-Interop-Version: ${JSON.stringify(version.slice(0, 20))} is not spoken here; use one of ${interopVersions.join(", ")}.`);
  }
  if (request.method === "OPTIONS") return { kind: "answer", give: async () => ({ status: 204, headers: supportHeaders(request) }) };
  checkDigests(request);
  const id = resourceId(request.path);
  if (id === undefined) {
    if (request.method === "POST" || request.method === "PUT") return decideCreate(store, request);
    throw new Refusal("method_not_allowed", undefined, { headers: { Allow: "OPTIONS, POST, PUT" } });
  }
  const session = await findSession(store, "resumable", id);
  if (request.method === "PATCH") return decideAppend(store, request, session);
  if (request.method === "HEAD") return { kind: "answer", give: () => head(store, request, session) };
  if (request.method === "DELETE") return { kind: "answer", give: () => cancel(store, session) };
  throw new Refusal("method_not_allowed", undefined, { headers: { Allow: "OPTIONS, PATCH, HEAD, DELETE" } });
}

async function written(store: StoreParts, request: SessionRequest, session: Session | null, body: WrittenBody): Promise<DialectAnswer> {
  if (session === null) throw new Refusal("not_found", "The upload was cancelled.");
  // A body of unknown length that ends the file says only by its end how long the file is.
  const ends = body.outcome === "partial" && session.total === null && parseBoolean(request.header("Upload-Complete")) === true;
  const whole: WrittenBody = ends ? { ...body, outcome: "complete", size: body.offset } : body;
  const { offset, record } = await advance(store, request, session, whole);
  const created = resourceId(request.path) === undefined;
  return record === null ? unfinished(request, session, offset, created) : finished(request, session, record, created);
}

export const resumable: Dialect = {
  headers: (request) => {
    const version = request.header("Upload-Draft-Interop-Version");
    // Also with 413, where the draft asks for it.
    return { "Cache-Control": "no-store", ...limitHeader(request), ...(version === "" ? {} : { "Upload-Draft-Interop-Version": version }) };
  },
  exposed: resumableHeaders,
  decide,
  written,
  mismatch: () => "digest_mismatch",
  creates: (request) => resourceId(request.path) === undefined,
};
