/** Plain PUT (curl -T): the body is the file, and what the address has below the upload's path its name. */
import { disagrees, parseDigestField } from "../../../protocol/digest-field.ts";
import { interopVersions, parseBoolean } from "../../../protocol/resumable.ts";
import type { Session } from "../../records/sessions.ts";
import { Refusal } from "../../refusal.ts";
import { completeForm, type StoreParts } from "../../store/complete.ts";
import { submissionOf } from "../../submission.ts";
import { completionAnswer } from "../../views.ts";
import { checkDigests, checkLength } from "../begin.ts";
import { digestHeader } from "../digest-header.ts";
import type { Dialect, DialectAnswer, Plan, SessionRequest, WrittenBody } from "../dialect.ts";
import { supportHeaders } from "../resumable/answers.ts";

const methods = "OPTIONS, PUT, POST";

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The name in an address: what stands below the upload's path, folders included, decoded where it can be. */
export function nameInPath({ path, terms }: Pick<SessionRequest, "path" | "terms">): string {
  const above = `${terms.path.replace(/\/$/, "")}/`;
  const parts = path.split("/");
  return (path.startsWith(above) ? path.slice(above.length).split("/") : parts.slice(-1)).map(decoded).join("/");
}

async function decide(_store: StoreParts, request: SessionRequest): Promise<Plan> {
  if (request.method === "OPTIONS") return { kind: "answer", give: async () => ({ status: 204, headers: { Allow: methods, ...supportHeaders(request) } }) };
  if (request.method !== "PUT" && request.method !== "POST") throw new Refusal("method_not_allowed", undefined, { headers: { Allow: methods } });
  if (/^multipart\/form-data/i.test(request.header("Content-Type"))) {
    throw new Refusal("wrong_body_type", `A form goes to ${request.terms.path}; here the body is the file itself.`);
  }
  // RFC 9110, section 14.5: a server that takes no part of a file this way must not take it for the whole.
  if (request.header("Content-Range") !== "") {
    throw new Refusal("bad_header", `Content-Range: a body at this address is a whole file; pieces of one go to ${request.terms.path} with a Session-ID, or by tus or resumable uploads.`);
  }
  // Interop versions before 5 say with it that more is to come: what came must not be taken for the whole.
  if (parseBoolean(request.header("Upload-Incomplete")) === true) {
    throw new Refusal("bad_header", `Upload-Incomplete: is not spoken here; send the whole file, or Upload-Complete with one of the interop versions ${interopVersions.join(", ")}.`);
  }
  checkDigests(request);
  checkLength(request, request.bodyLength);
  submissionOf(request.header("Idempotency-Key"), request.requestId);
  return { kind: "write", open: async () => ({ session: null, data: null, offset: 0, length: null }) };
}

async function written(store: StoreParts, request: SessionRequest, _session: Session | null, body: WrittenBody): Promise<DialectAnswer> {
  const announced = parseDigestField(request.header("Repr-Digest")) ?? [];
  if (disagrees(announced, body.checksums)) throw new Refusal("digest_mismatch");
  const { path, contentType, size, checksums } = body;
  const file = { field: "file", name: nameInPath(request), contentType, path, size, checksums };
  const { requestId, remoteAddress, terms } = request;
  const submission = submissionOf(request.header("Idempotency-Key"), requestId);
  const form = { files: [file], empty: [], description: null, terminal: true };
  const records = await completeForm(store, { submission, remoteAddress, maxFileSize: terms.maxFileSize }, form);
  return {
    status: 201,
    headers: { Location: `/files/${records[0]?.id}`, ...digestHeader(request.header("Want-Repr-Digest"), checksums) },
    body: completionAnswer(records),
  };
}

export const plain: Dialect = {
  headers: () => ({ "Cache-Control": "no-store" }),
  exposed: ["Accept-Patch", "Upload-Limit"],
  decide,
  written,
  mismatch: () => "digest_mismatch",
  creates: () => false,
};
