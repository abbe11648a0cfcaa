/** The dialects of upload sessions, each as a client speaks it: what the rows of the conformance suite are run with. */
import { createHash } from "node:crypto";
import type { Answer } from "./e2e-client.ts";

/** A request without its body. */
export interface Wording {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface DialectClient {
  readonly name: string;
  /** Asks for a new upload. @param total bytes, or null when the client does not know yet */
  create(total: number | null, more?: Readonly<Record<string, string>>): Wording;
  /** Sends bytes from an offset on. @param total as for create; known at the latest with the last bytes */
  append(address: string, offset: number, length: number, total: number): Wording;
  head(address: string): Wording;
  cancel(address: string): Wording;
  /** Whether an answer to HEAD says that the upload is complete. */
  complete(answer: Answer, total: number): boolean;
}

const octets = "application/offset+octet-stream";
const tusHeaders = { "tus-resumable": "1.0.0" };

const tus: DialectClient = {
  name: "tus 1.0.0",
  create: (total, more = {}) => ({
    method: "POST",
    path: "/tus/",
    headers: {
      ...tusHeaders,
      ...(total === null ? { "upload-defer-length": "1" } : { "upload-length": String(total) }),
      "upload-metadata": `filename ${Buffer.from("käse.bin").toString("base64")},filetype ${Buffer.from("text/x-test").toString("base64")}`,
      ...more,
    },
  }),
  append: (path, offset, length, total) => ({
    method: "PATCH",
    path,
    headers: { ...tusHeaders, "content-type": octets, "upload-offset": String(offset), "content-length": String(length), ...(offset + length === total ? { "upload-length": String(total) } : {}) },
  }),
  head: (path) => ({ method: "HEAD", path, headers: tusHeaders }),
  cancel: (path) => ({ method: "DELETE", path, headers: tusHeaders }),
  complete: (answer, total) => answer.headers["upload-offset"] === String(total) && answer.headers["upload-length"] === String(total),
};

/** @param version `Upload-Draft-Interop-Version` */
export function resumable(version: number): DialectClient {
  const interop = { "upload-draft-interop-version": String(version) };
  const type: Readonly<Record<string, string>> = version >= 6 ? { "content-type": "application/partial-upload" } : {};
  return {
    name: `resumable uploads, interop version ${version}`,
    create: (total, more = {}) => ({
      method: "POST",
      path: "/upload/k%C3%A4se.bin",
      headers: { ...interop, "upload-complete": "?0", "content-length": "0", ...(total === null ? {} : { "upload-length": String(total) }), ...more },
    }),
    append: (path, offset, length, total) => ({
      method: "PATCH",
      path,
      headers: { ...interop, ...type, "upload-offset": String(offset), "upload-complete": offset + length === total ? "?1" : "?0", "content-length": String(length) },
    }),
    head: (path) => ({ method: "HEAD", path, headers: interop }),
    cancel: (path) => ({ method: "DELETE", path, headers: interop }),
    complete: (answer) => answer.headers["upload-complete"] === "?1",
  };
}

/** Those whose uploads can be asked for and gone on with. */
export const resumingDialects: readonly DialectClient[] = [tus, resumable(8), resumable(7), resumable(6), resumable(5)];

/** `Repr-Digest` or `Content-Digest` of bytes. */
export const digestField = (bytes: Buffer): string => `sha-256=:${createHash("sha256").update(bytes).digest("base64")}:`;
