/** tus 1.0.0 over the sessions of the service. */
import { brokenTusRule, checksumField, tusHeaders, tusVersion } from "../../../protocol/tus.ts";
import type { Session } from "../../records/sessions.ts";
import { Refusal } from "../../refusal.ts";
import type { StoreParts } from "../../store/complete.ts";
import { checkDigests } from "../begin.ts";
import type { Dialect, DialectAnswer, Plan, SessionRequest, WrittenBody } from "../dialect.ts";
import { advance } from "../written.ts";
import { addressOf, capabilities, expiryHeader, idOf, filedHeaders } from "./answers.ts";
import { decideDelete } from "./delete.ts";
import { decideHead } from "./head.ts";
import { decidePatch } from "./patch.ts";
import { decidePost } from "./post.ts";

const methods: Readonly<Record<string, (store: StoreParts, request: SessionRequest) => Promise<Plan>>> = {
  POST: decidePost,
  PATCH: decidePatch,
  HEAD: decideHead,
  DELETE: decideDelete,
};

async function decide(store: StoreParts, request: SessionRequest): Promise<Plan> {
  if (request.method === "OPTIONS") return { kind: "answer", give: async () => ({ status: 204, headers: capabilities(request) }) };
  const run = methods[request.method];
  if (run === undefined) throw new Refusal("method_not_allowed", undefined, { headers: { Allow: "OPTIONS, POST, PATCH, HEAD, DELETE" } });
  if (request.header("Tus-Resumable") !== tusVersion) throw new Refusal("tus_version", undefined, { headers: { "Tus-Version": tusVersion } });
  checkDigests(request);
  const broken = brokenTusRule(request.header);
  if (broken !== undefined) throw new Refusal("bad_header", `${broken.name}: ${broken.spec}`);
  return withChecksum(await run(store, request), request);
}

/** Has nginx compare the body that is to be written with its `Upload-Checksum`. */
function withChecksum(plan: Plan, request: SessionRequest): Plan {
  const digest = checksumField(request.header("Upload-Checksum"));
  if (plan.kind !== "write" || digest === undefined) return plan;
  return { kind: "write", open: async () => ({ ...(await plan.open()), digest }) };
}

async function written(store: StoreParts, request: SessionRequest, found: Session | null, body: WrittenBody): Promise<DialectAnswer> {
  if (found === null) throw new Refusal("not_found", "The upload was cancelled.");
  const { session, offset, record } = await advance(store, request, found, body);
  const created = idOf(request.path) === "";
  return {
    status: created ? 201 : 204,
    headers: {
      ...(created ? { Location: addressOf(session.id) } : {}),
      "Upload-Offset": String(offset),
      ...expiryHeader(session),
      ...filedHeaders(request, record),
    },
  };
}

export const tus: Dialect = {
  headers: () => ({ "Tus-Resumable": tusVersion, "Cache-Control": "no-store" }),
  exposed: tusHeaders,
  decide,
  written,
  mismatch: (request) => (request.header("Upload-Checksum") === "" ? "digest_mismatch" : "checksum_mismatch"),
  creates: (request) => idOf(request.path) === "",
};
