/** The ways to send a file in one request, for rows that hold for each. */
import { type Answer, form, send, type Target } from "./e2e-client.ts";

/** @param body sent in place of the file, where the way has no words of its own around it */
export type OneRequest = (site: Target, headers: Readonly<Record<string, string>>, body?: Buffer) => Promise<Answer>;

/** @param bytes of the file */
export function waysInOneRequest(bytes: Buffer): Readonly<Record<string, OneRequest>> {
  return {
    PUT: (site, headers, body = bytes) => send(site, "/upload/a.bin", { method: "PUT", body, headers }),
    form: (site, headers) => {
      const { body, contentType } = form([{ name: "file", filename: "a.bin", content: bytes }]);
      return send(site, "/upload", { method: "POST", body, headers: { "content-type": contentType, ...headers } });
    },
    "ranged segment": (site, headers, body = bytes) => {
      const own = { "content-type": "application/octet-stream", "session-id": "digests", "content-range": `bytes 0-${bytes.length - 1}/${bytes.length}` };
      return send(site, "/upload", { method: "POST", body, headers: { ...own, ...headers } });
    },
    "tus, with its creation": (site, headers, body = bytes) =>
      send(site, "/tus/", { method: "POST", body, headers: { "tus-resumable": "1.0.0", "upload-length": String(bytes.length), "content-type": "application/offset+octet-stream", ...headers } }),
    "resumable upload, whole": (site, headers, body = bytes) =>
      send(site, "/upload/a.bin", { method: "POST", body, headers: { "upload-complete": "?1", "upload-draft-interop-version": "8", ...headers } }),
  };
}
