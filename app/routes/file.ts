/** `GET /files/:id`: hands the download to nginx. */
import { attachment } from "../../protocol/file-name.ts";
import type { Middleware, Service } from "../context.ts";
import { digestHeader } from "../sessions/digest-header.ts";
import { findComplete } from "./uploads.ts";

/** Whatever a stored file holds, it does nothing in the site's name. */
const filePolicy = "default-src 'none'; sandbox";

export function fileRoute(service: Service): Middleware {
  return async (context) => {
    const record = await findComplete(service, context["params"]?.id);
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
