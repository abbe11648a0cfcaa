/** tus POST: a new upload, with or without its first bytes (creation, creation-with-upload, creation-defer-length). */
import { parseByteCount } from "../../../protocol/byte-count.ts";
import { nameIn, parseConcat, parseMetadata, type PartPlace, partPlace, tusBodyType } from "../../../protocol/tus.ts";
import type { Session } from "../../records/sessions.ts";
import { Refusal } from "../../refusal.ts";
import type { StoreParts } from "../../store/complete.ts";
import { checkLength, checkRoom, expiryOf, newSession, placeOf } from "../begin.ts";
import { dataOf } from "../data.ts";
import type { DialectAnswer, Plan, SessionRequest } from "../dialect.ts";
import { finishEmpty } from "../finish.ts";
import { lockOfFile } from "../remove.ts";
import { addressOf, checkBodyType, expiryHeader, idOf, filedHeaders } from "./answers.ts";
import { decideFinal } from "./final.ts";

/** The length that a client announces; null when it will say it later. */
function announcedLength(request: SessionRequest): number | null {
  const length = request.header("Upload-Length");
  const deferred = request.header("Upload-Defer-Length") !== "";
  if ((length !== "") === deferred) throw new Refusal("bad_header", "Exactly one of Upload-Length and Upload-Defer-Length must be there.");
  return deferred ? null : (parseByteCount(length) ?? null);
}

function checkTotal(file: Session | null, { total }: PartPlace): void {
  if (file !== null && file.total !== total) throw new Refusal("other_length", `Upload-Metadata: total says ${total}, but the file of this part was begun with ${file.total}.`);
}

/** The file that parts with a place are written into; made with the first of them. */
async function fileOf(store: StoreParts, request: SessionRequest, place: PartPlace): Promise<Session> {
  const { sessions } = store.records;
  const known = await sessions.findFile(place.file);
  checkTotal(known, place);
  if (known !== null) {
    // It lives as long as the youngest of its parts.
    await sessions.update(known.id, { expiresAt: expiryOf(request) });
    return known;
  }
  const file = newSession(store, request, { dialect: "tus", kind: "file", total: place.total, fileKey: place.file });
  await sessions.insert(file);
  return file;
}

async function create(store: StoreParts, request: SessionRequest, session: Session, place: PartPlace | undefined): Promise<Session> {
  const { sessions } = store.records;
  if (place === undefined) {
    await sessions.insert(session);
    return session;
  }
  return store.locks.run([lockOfFile(place.file)], async () => {
    const made = { ...session, data: dataOf((await fileOf(store, request, place)).id) };
    await sessions.insert(made);
    return made;
  });
}

/** An upload of no bytes is filed at once: its creation is answered as the last bytes of others are. */
async function createdAnswer(store: StoreParts, request: SessionRequest, session: Session): Promise<DialectAnswer> {
  const location = { Location: addressOf(session.id) };
  // "The response MUST include Upload-Offset" where the creation brings bytes, of which there may be none.
  const offset = request.header("Content-Type") === tusBodyType ? { "Upload-Offset": "0" } : {};
  if (session.kind !== "whole" || session.total !== 0) return { status: 201, headers: { ...location, ...offset, ...expiryHeader(session) } };
  const record = await finishEmpty(store, session, request.terms.checksums);
  return {
    status: 201,
    headers: { ...location, "Upload-Offset": "0", ...filedHeaders(request, record) },
  };
}

export async function decidePost(store: StoreParts, request: SessionRequest): Promise<Plan> {
  if (idOf(request.path) !== "") throw new Refusal("method_not_allowed");
  const concat = parseConcat(request.header("Upload-Concat"));
  if (concat?.kind === "final") return decideFinal(store, request, concat.parts);
  const total = announcedLength(request);
  checkLength(request, total);
  const text = request.header("Upload-Metadata");
  const metadata = parseMetadata(text) ?? new Map<string, string>();
  const place = concat !== undefined && total !== null ? partPlace(metadata, total) : undefined;
  checkLength(request, place?.total ?? null);
  if (place !== undefined) checkTotal(await store.records.sessions.findFile(place.file), place);
  const session = newSession(store, request, {
    dialect: "tus",
    kind: concat === undefined ? "whole" : "part",
    total,
    name: nameIn(metadata) ?? "",
    contentType: metadata.get("filetype") ?? metadata.get("type") ?? "",
    metadata: text,
    ...(place === undefined ? {} : { base: place.offset, fileTotal: place.total, fileKey: place.file }),
  });
  const hasBody = request.bodyLength === null ? request.header("Content-Type") === tusBodyType : request.bodyLength > 0;
  if (!hasBody) return { kind: "answer", give: async () => createdAnswer(store, request, await create(store, request, session, place)) };
  checkBodyType(request, tusBodyType);
  checkRoom(session, 0, request);
  return { kind: "write", open: async () => placeOf(store, await create(store, request, session, place), 0) };
}
