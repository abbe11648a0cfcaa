/** `GET /files/:id`: hands the download to nginx. */
import { attachment } from "../../protocol/file-name.ts";
import { isPreconditionFailed } from "../../protocol/precondition.ts";
import { isUnsatisfiable } from "../../protocol/range.ts";
import type { Middleware, RequestContext, Service } from "../context.ts";
import type { UploadRecord } from "../records/records.ts";
import { Refusal } from "../refusal.ts";
import { digestHeader } from "../sessions/digest-header.ts";
import { findComplete } from "./uploads.ts";

/** Whatever a stored file holds, it does nothing in the site's name. */
const filePolicy = "default-src 'none'; sandbox";

const preconditions = ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"];

/** Refuses a file that is another than was asked for, before nginx does, whose page would have the headers of the file. */
function checkPreconditions(context: RequestContext, { modified, size }: UploadRecord): void {
  const headers = { ifMatch: context.get("If-Match"), ifUnmodifiedSince: context.get("If-Unmodified-Since") };
  if (isPreconditionFailed(headers, { seconds: Number(modified / 1_000_000_000n), size })) throw new Refusal("precondition_failed");
}

/**
 * Refuses a range that no byte of the file lies in. nginx finds that out when it has written the header of the file, and
 * cannot take its digest, name and policy back from the refusal; only what a precondition decides first is left to it.
 */
function checkRange(context: RequestContext, size: number): void {
  if (preconditions.some((name) => context.get(name) !== "") || !isUnsatisfiable(context.get("Range"), size)) return;
  throw new Refusal("bad_range", undefined, { headers: { "Content-Range": `bytes */${size}` } });
}

export function fileRoute(service: Service): Middleware {
  return async (context) => {
    const record = await findComplete(service, context["params"]?.id);
    checkPreconditions(context, record);
    checkRange(context, record.size);
    context.set({
      "X-Accel-Redirect": `/_files/${record.target.split("/").map(encodeURIComponent).join("/")}`,
      "Content-Type": record.contentType ?? "application/octet-stream",
      "Content-Disposition": attachment(record.name),
      "Content-Security-Policy": filePolicy,
      "Cache-Control": "private, no-cache",
      ...digestHeader(context.get("Want-Repr-Digest"), record.checksums),
    });
    context.status = 200;
    context.body = "";
  };
}
