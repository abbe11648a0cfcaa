/** A client's request out of what nginx says of it. */
import { parseByteCount } from "../../protocol/byte-count.ts";
import type { RequestContext } from "../context.ts";
import { readUploadTerms } from "../upload-terms.ts";
import type { SessionRequest } from "./dialect.ts";
import { tusPath } from "./tus/answers.ts";

/** Methods that `X-HTTP-Method-Override` may stand for, for clients that can send only GET and POST. */
const overridable = new Set(["PATCH", "DELETE", "HEAD", "PUT"]);

function methodOf(context: RequestContext): string {
  const override = context.get("X-HTTP-Method-Override").toUpperCase();
  return overridable.has(override) ? override : context.get("X-Slipway-Method");
}

/** The path of an address as nginx reads it: without the query, several slashes as one, and tus's with the slash at its end. */
function pathOf(address: string): string {
  const path = (address.split("?")[0] ?? "").replace(/\/{2,}/g, "/");
  return `${path}/` === tusPath ? tusPath : path;
}

/** Reads a request on one of the addresses of uploads. */
export function readSessionRequest(context: RequestContext): SessionRequest {
  const length = context.get("X-Slipway-Length");
  return {
    method: methodOf(context),
    path: pathOf(context.get("X-Slipway-Uri")),
    header: (name) => context.get(name),
    bodyLength: length === "" ? null : (parseByteCount(length) ?? null),
    requestId: context.state.requestId,
    remoteAddress: context.get("X-Real-IP") || null,
    terms: readUploadTerms((name) => context.get(name)),
    expireAfter: parseByteCount(context.get("X-Slipway-Expire-After")) ?? 0,
  };
}
