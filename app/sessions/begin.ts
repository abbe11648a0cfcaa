/** The beginning of a session, and of each of its bodies. */
import { readDigests } from "../announced.ts";
import type { Session } from "../records/sessions.ts";
import { Refusal } from "../refusal.ts";
import type { StoreParts } from "../store/complete.ts";
import { dataOf, spelledPath } from "./data.ts";
import type { SessionRequest, WritePlace } from "./dialect.ts";

/** Refuses a length over the site's limit before anything of the file is sent. */
export function checkLength(request: SessionRequest, bytes: number | null): void {
  const { maxFileSize } = request.terms;
  if (maxFileSize === 0 || bytes === null || bytes <= maxFileSize) return;
  throw new Refusal("too_large", `The file would have ${bytes} bytes; this site takes at most ${maxFileSize}.`);
}

/** Refuses digests that are not well-formed (RFC 9530) before a body is compared with them. */
export function checkDigests(request: SessionRequest): void {
  for (const name of ["Content-Digest", "Repr-Digest"]) {
    readDigests(name, request.header(name));
  }
}

/** When a session that hears nothing more ends: ISO 8601. */
export function expiryOf(request: SessionRequest): string {
  return new Date(Date.now() + request.expireAfter * 1000).toISOString();
}

/** A session that does not exist yet, with what is the same for every dialect filled in. */
export function newSession(store: StoreParts, request: SessionRequest, what: Pick<Session, "dialect" | "kind" | "total"> & Partial<Session>): Session {
  const id = store.makeId();
  return {
    id,
    state: "receiving",
    data: dataOf(id),
    base: 0,
    fileTotal: null,
    fileKey: null,
    parts: [],
    name: "",
    contentType: "",
    metadata: "",
    announced: request.header("Repr-Digest"),
    digests: request.terms.checksums,
    checksums: null,
    refused: false,
    remoteAddress: request.remoteAddress,
    createdAt: new Date().toISOString(),
    expiresAt: expiryOf(request),
    expireAfter: request.expireAfter,
    ...what,
  };
}

/** Where the next body of a session goes. */
export function placeOf(store: StoreParts, session: Session, offset: number): WritePlace {
  return {
    session: session.id,
    data: spelledPath(store.paths, session.data),
    offset: session.base + offset,
    length: session.kind === "part" && session.fileKey !== null ? session.fileTotal : session.total,
  };
}

/** Refuses a body that is longer than the session has room for. */
export function checkRoom(session: Session, offset: number, request: SessionRequest): void {
  if (session.total === null) return;
  // nginx holds a body to the length of the whole data; a part in the middle of it has only its own.
  if (request.bodyLength === null && session.fileKey !== null) throw new Refusal("length_required");
  if (offset + (request.bodyLength ?? 0) <= session.total) return;
  throw new Refusal("beyond_end", `The upload has ${session.total} bytes and stands at ${offset}; a body of ${request.bodyLength} goes beyond its end.`);
}
