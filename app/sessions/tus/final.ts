/** tus POST with `Upload-Concat: final`: partial uploads become one file. */
import { nameIn, parseMetadata } from "../../../protocol/tus.ts";
import type { Session } from "../../records/sessions.ts";
import { Refusal } from "../../refusal.ts";
import type { StoreParts } from "../../store/complete.ts";
import { checkLength, newSession } from "../begin.ts";
import type { DialectAnswer, Plan, SessionRequest } from "../dialect.ts";
import { digestFile } from "../digest-file.ts";
import { findSession } from "../find.ts";
import { finishSession } from "../finish.ts";
import { checkSpace, partsBeingJoined, startJoin } from "../join.ts";
import { dataPath } from "../data.ts";
import { progressOf, recordOf } from "../progress.ts";
import { lockOf } from "../remove.ts";
import { addressOf, expiryHeader, idOf, filedHeaders } from "./answers.ts";

/** The id in a part's address, which may be whole or only its path. */
function partId(address: string): string {
  try {
    return idOf(new URL(address, "https://localhost").pathname);
  } catch {
    return "";
  }
}

async function findParts(store: StoreParts, ids: readonly string[]): Promise<readonly Session[]> {
  if (new Set(ids).size !== ids.length) throw new Refusal("bad_header", "Upload-Concat: a part is named twice.");
  const parts: Session[] = [];
  for (const id of ids) {
    const part = await findSession(store, "tus", id);
    if (part.kind !== "part") throw new Refusal("bad_header", `Upload-Concat: ${addressOf(id)} was not begun as a partial upload.`);
    if (!(await progressOf(store, part)).complete) throw new Refusal("bad_header", `Upload-Concat: ${addressOf(id)} has not arrived whole.`);
    parts.push(part);
  }
  return parts;
}

/** The file that the parts were written into, when they are all of it in order. */
async function fileOfParts(store: StoreParts, parts: readonly Session[]): Promise<Session | null> {
  const [first] = parts;
  if (parts.every((part) => part.fileKey === null)) return null;
  const file = await store.records.sessions.findFile(first?.fileKey ?? "");
  let end = 0;
  for (const part of parts) {
    if (file === null || part.data !== file.data || part.base !== end) throw new Refusal("bad_header", "Upload-Concat: these parts are not one file, by the offsets in their own metadata.");
    end += part.total ?? 0;
  }
  if (end !== file?.total) throw new Refusal("bad_header", "Upload-Concat: parts of the file are missing, by the total in their own metadata.");
  return file;
}

interface Joining {
  readonly request: SessionRequest;
  /** What the request says of the file. */
  readonly described: Pick<Session, "name" | "contentType" | "metadata" | "parts">;
}

function describe(request: SessionRequest, parts: readonly Session[]): Joining["described"] {
  const metadata = parseMetadata(request.header("Upload-Metadata"));
  const [first] = parts;
  return {
    name: (metadata && nameIn(metadata)) ?? first?.name ?? "",
    contentType: metadata?.get("filetype") ?? metadata?.get("type") ?? first?.contentType ?? "",
    metadata: request.header("Upload-Metadata"),
    parts: parts.map(({ id }) => id),
  };
}

function created(session: Session, more: Readonly<Record<string, string>> = {}): DialectAnswer {
  return { status: 201, headers: { Location: addressOf(session.id), ...expiryHeader(session), ...more } };
}

async function finishFile(store: StoreParts, { request, described }: Joining, file: Session): Promise<DialectAnswer> {
  const whole = { ...file, ...described, announced: request.header("Repr-Digest") };
  await store.records.sessions.update(file.id, described);
  // They are missing only when nginx or this service was killed as the last byte came.
  const checksums = file.checksums ?? (await digestFile(dataPath(store.paths, file.data), file.digests));
  const record = await finishSession(store, whole, { size: file.total ?? 0, checksums }, request.terms.maxFileSize);
  return created({ ...whole, state: "complete" }, filedHeaders(request, record));
}

/** Parts that were there a moment ago, and that no other file takes with it. */
async function checkParts(store: StoreParts, parts: readonly Session[]): Promise<void> {
  const joined = await partsBeingJoined(store);
  for (const { id } of parts) {
    await findSession(store, "tus", id);
    if (joined.has(id)) throw new Refusal("bad_header", `Upload-Concat: ${addressOf(id)} is being joined to another file, and goes with it.`);
  }
}

async function join(store: StoreParts, { request, described }: Joining, parts: readonly Session[], total: number): Promise<DialectAnswer> {
  // One after the other: each has to find room beside what those before it will take. And no part goes meanwhile.
  return store.locks.run(["final", ...parts.map(lockOf)], async () => {
    // The same declaration, sent twice at once.
    const before = await store.records.sessions.findJoined(described.parts);
    if (before !== null) return createdBefore(store, request, before);
    await checkParts(store, parts);
    await checkSpace(store, total, request.terms.minFreeSpace);
    const session = newSession(store, request, { dialect: "tus", kind: "joined", state: "joining", total, ...described });
    await store.records.sessions.insert(session);
    startJoin(store, session);
    return created(session);
  });
}

/** Answer to a declaration that was heard before. */
async function createdBefore(store: StoreParts, request: SessionRequest, session: Session): Promise<DialectAnswer> {
  return created(session, filedHeaders(request, await recordOf(store, session)));
}

export async function decideFinal(store: StoreParts, request: SessionRequest, addresses: readonly string[]): Promise<Plan> {
  const ids = addresses.map(partId);
  const before = await store.records.sessions.findJoined(ids);
  // A file that was declared and could not be filed then is tried again.
  if (before !== null && before.state !== "receiving") return { kind: "answer", give: () => createdBefore(store, request, before) };
  const parts = await findParts(store, ids);
  const total = parts.reduce((sum, part) => sum + (part.total ?? 0), 0);
  checkLength(request, total);
  const joining = { request, described: describe(request, parts) };
  const file = await fileOfParts(store, parts);
  return { kind: "answer", give: () => (file === null ? join(store, joining, parts, total) : finishFile(store, joining, file)) };
}
