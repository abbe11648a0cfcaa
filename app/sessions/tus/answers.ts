/** Words of tus answers. */
import { formFilesHeader, mostFormFiles } from "../../../protocol/form-files.ts";
import { tusChecksumAlgorithms, tusExtensions, tusVersion } from "../../../protocol/tus.ts";
import { uploadPathHeader } from "../../../protocol/upload-path.ts";
import type { Session } from "../../records/sessions.ts";
import { Refusal } from "../../refusal.ts";
import type { UploadRecord } from "../../records/records.ts";
import type { SessionRequest } from "../dialect.ts";
import { digestHeader } from "../digest-header.ts";

/** Address below which every tus upload lies. */
export const tusPath = "/tus/";

export const addressOf = (id: string): string => `${tusPath}${id}`;

/** Last part of an upload's address; empty for the address that uploads are made at. */
export function idOf(path: string): string {
  return path.startsWith(tusPath) ? path.slice(tusPath.length) : "";
}

/** "Server MUST include Upload-Expires ... as long as the upload is not complete"; RFC 9110's date. */
export function expiryHeader(session: Session): Readonly<Record<string, string>> {
  return session.state === "receiving" ? { "Upload-Expires": new Date(session.expiresAt).toUTCString() } : {};
}

/** Of a file that is filed: where its record can be read (RFC 9110, 8.7), as tus has no words of its own for it, and its digest. */
export function filedHeaders(request: SessionRequest, record: UploadRecord | null): Readonly<Record<string, string>> {
  if (record === null) return {};
  return { "Content-Location": `/api/uploads/${record.id}`, ...digestHeader(request.header("Want-Repr-Digest"), record.checksums) };
}

/** What this server does, for OPTIONS. */
export function capabilities(request: SessionRequest): Readonly<Record<string, string>> {
  const { path, maxFileSize, checksums } = request.terms;
  // Without their SHA-256 the files of a form could not be held against what the client has.
  const isComparable = checksums.includes("sha256");
  return {
    "Tus-Version": tusVersion,
    "Tus-Extension": tusExtensions.join(","),
    "Tus-Checksum-Algorithm": tusChecksumAlgorithms,
    ...(maxFileSize === 0 ? {} : { "Tus-Max-Size": String(maxFileSize) }),
    [uploadPathHeader]: path,
    ...(isComparable ? { [formFilesHeader]: String(mostFormFiles) } : {}),
  };
}

/** Refuses a body that is not said to be bytes of a file. */
export function checkBodyType(request: SessionRequest, type: string): void {
  if (request.header("Content-Type").split(";")[0]?.trim().toLowerCase() === type) return;
  throw new Refusal("wrong_body_type", `Content-Type: must be ${type}, got ${JSON.stringify(request.header("Content-Type").slice(0, 100))}.`);
}
