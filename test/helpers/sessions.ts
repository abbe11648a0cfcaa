/** Sessions of a store, and requests about them, without nginx. */
import { writeFileSync } from "node:fs";
import type { Session } from "../../app/records/sessions.ts";
import { dataOf, dataPath } from "../../app/sessions/data.ts";
import type { SessionRequest } from "../../app/sessions/dialect.ts";
import { keepSessions } from "../../app/sessions/upkeep.ts";
import type { UploadTerms } from "../../app/upload-terms.ts";
import { stateFile } from "./state-file.ts";
import type { TestStore } from "./store.ts";

/** A session, and its data where it is to have some. */
export async function begun(store: TestStore, changes: Partial<Session>, bytes?: Buffer | string): Promise<Session> {
  const id = store.makeId();
  const session: Session = {
    id, dialect: "tus", kind: "whole", state: "receiving", refused: false, data: dataOf(id), base: 0, total: bytes?.length ?? 0, fileTotal: null, fileKey: null, parts: [],
    name: "a.bin", contentType: "", metadata: "", announced: "", digests: ["sha256"], checksums: null, remoteAddress: null,
    createdAt: new Date().toISOString(), expiresAt: new Date(Date.now() + 60_000).toISOString(), expireAfter: 0, ...changes,
  };
  await store.records.sessions.insert(session);
  if (bytes !== undefined) writeFileSync(dataPath(store.paths, session.data), bytes);
  return session;
}

/** A partial upload that has arrived whole; one of no bytes has no data. */
export async function arrivedPart(store: TestStore, bytes: Buffer): Promise<Session> {
  if (bytes.length === 0) return begun(store, { kind: "part", expireAfter: 60 });
  const part = await begun(store, { kind: "part", expireAfter: 60 }, bytes);
  writeFileSync(`${dataPath(store.paths, part.data)}.state`, stateFile([{ sequence: 1, total: bytes.length, flags: 3, ranges: [[0, bytes.length]] }]));
  return part;
}

/** A round of the upkeep, and the end of what is joined then. */
export async function keptRound(store: TestStore): Promise<void> {
  await keepSessions(store);
  await store.joins.idle();
}

/** A client's request as nginx describes it, with terms that ask for nothing. */
export function sessionRequest(method: string, path: string, terms: Partial<UploadTerms> = {}): SessionRequest {
  return {
    method, path, header: () => "", bodyLength: 0, requestId: "request", remoteAddress: null, expireAfter: 60,
    terms: { path: "/upload", tusPath: null, maxFileSize: 0, minFreeSpace: 0, checksums: ["sha256"], ...terms },
  };
}
