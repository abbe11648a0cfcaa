/** POST or PUT with Upload-Complete: a new upload, with or without its first bytes. */
import { dispositionName, parseLength } from "../../../protocol/resumable.ts";
import { parseMetadata } from "../../../protocol/tus.ts";
import { Refusal } from "../../refusal.ts";
import type { StoreParts } from "../../store/complete.ts";
import { checkLength, newSession, placeOf } from "../begin.ts";
import type { Plan, SessionRequest } from "../dialect.ts";
import { finishEmpty } from "../finish.ts";
import { nameInPath } from "../plain/dialect.ts";
import { completeOf, finished, unfinished } from "./answers.ts";

/**
 * The length of the file, as far as a request says it: by Upload-Length, or by a body that ends the file.
 * @param offset where the body begins
 * @throws {Refusal} `bad_header` when the two differ
 */
export function lengthOf(request: SessionRequest, offset: number, complete: boolean): number | null {
  const text = request.header("Upload-Length");
  const announced = text === "" ? null : parseLength(text);
  if (announced === undefined) throw new Refusal("bad_header", "Upload-Length: must be a number of bytes.");
  const sent = complete && request.bodyLength !== null ? offset + request.bodyLength : null;
  if (announced !== null && sent !== null && announced !== sent) {
    throw new Refusal("bad_header", `Upload-Length: says ${announced}, but the file ends at ${sent} with this body.`);
  }
  return announced ?? sent;
}

/** The draft names no file; tus-js-client says it in tus's words in this protocol, too. */
function nameOf(request: SessionRequest): string {
  return dispositionName(request.header("Content-Disposition")) || (parseMetadata(request.header("Upload-Metadata"))?.get("filename") ?? nameInPath(request));
}

export async function decideCreate(store: StoreParts, request: SessionRequest): Promise<Plan> {
  const complete = completeOf(request);
  const total = lengthOf(request, 0, complete);
  checkLength(request, total ?? request.bodyLength);
  const session = newSession(store, request, {
    dialect: "resumable",
    kind: "whole",
    total,
    name: nameOf(request),
    contentType: request.header("Content-Type"),
  });
  if (request.bodyLength !== 0) {
    return {
      kind: "write",
      async open() {
        await store.records.sessions.insert(session);
        return placeOf(store, session, 0);
      },
    };
  }
  return {
    kind: "answer",
    async give() {
      await store.records.sessions.insert(session);
      if (!complete) return unfinished(request, session, 0, true);
      return finished(request, session, await finishEmpty(store, session, request.terms.checksums), true);
    },
  };
}
