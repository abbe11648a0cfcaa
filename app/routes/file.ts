/** `GET /files/:id`: hands the download to nginx. */
import { reprDigest } from "../../protocol/checksum.ts";
import { attachment } from "../../protocol/file-name.ts";
import type { Middleware, Service } from "../context.ts";
import { findComplete } from "./uploads.ts";

/** Whatever a stored file holds, it does nothing in the site's name. */
const filePolicy = "default-src 'none'; sandbox";

export function fileRoute(service: Service): Middleware {
  return async (context) => {
    const record = await findComplete(service, context["params"]?.id);
    const digest = reprDigest(record.checksums);
    context.set({
      "X-Accel-Redirect": `/_files/${record.target.split("/").map(encodeURIComponent).join("/")}`,
      "Content-Type": record.contentType ?? "application/octet-stream",
      "Content-Disposition": attachment(record.name),
      "Content-Security-Policy": filePolicy,
      "Cache-Control": "private, no-cache",
      ...(digest === undefined ? {} : { "Repr-Digest": digest }),
    });
    context.status = 200;
    context.body = "";
  };
}
