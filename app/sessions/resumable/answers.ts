/** Words of resumable-upload answers. */
import { parseBoolean, partialUploadType, resourceAddress, uploadLimit, writeBoolean } from "../../../protocol/resumable.ts";
import type { UploadRecord } from "../../records/records.ts";
import type { Session } from "../../records/sessions.ts";
import { Refusal } from "../../refusal.ts";
import { completionAnswer } from "../../views.ts";
import { digestHeader } from "../digest-header.ts";
import type { DialectAnswer, SessionRequest } from "../dialect.ts";

/** Whether a request brings the end of the file. */
export function completeOf(request: SessionRequest): boolean {
  const complete = parseBoolean(request.header("Upload-Complete"));
  if (complete === undefined) throw new Refusal("bad_header", "Upload-Complete: must be ?1 when the body ends the file, else ?0.");
  return complete;
}

export function limitHeader(request: SessionRequest): Readonly<Record<string, string>> {
  return { "Upload-Limit": uploadLimit(request.terms.maxFileSize, request.expireAfter) };
}

/** What OPTIONS says to who wants to know whether uploads can be resumed here. */
export function supportHeaders(request: SessionRequest): Readonly<Record<string, string>> {
  return { "Accept-Patch": partialUploadType, ...limitHeader(request) };
}

export const addressOf = (request: SessionRequest, id: string): string => resourceAddress(request.terms.path, id);

/** Answer to a request that leaves the upload unfinished. */
export function unfinished(request: SessionRequest, session: Session, offset: number, created: boolean): DialectAnswer {
  return {
    status: created ? 201 : 204,
    headers: {
      ...(created ? { Location: addressOf(request, session.id) } : {}),
      "Upload-Offset": String(offset),
      "Upload-Complete": writeBoolean(false),
    },
  };
}

/** Answer to the request that ended the file, and to every repetition of it. */
export function finished(request: SessionRequest, session: Session, record: UploadRecord, created: boolean): DialectAnswer {
  return {
    status: created ? 201 : 200,
    headers: {
      ...(created ? { Location: addressOf(request, session.id) } : {}),
      "Upload-Offset": String(record.size),
      "Upload-Complete": writeBoolean(true),
      ...digestHeader(request.header("Want-Repr-Digest"), record.checksums),
    },
    body: completionAnswer([record]),
  };
}
