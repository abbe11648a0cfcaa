/** From a session whose bytes are all there to a file that is filed. */
import { createHash } from "node:crypto";
import { access, open } from "node:fs/promises";
import { type ChecksumName, type Checksums } from "../../protocol/checksum.ts";
import { parseDigestField } from "../../protocol/digest-field.ts";
import { plainText } from "../../protocol/text.ts";
import { parseMetadata } from "../../protocol/tus.ts";
import { differs } from "../announced.ts";
import type { UploadRecord } from "../records/records.ts";
import type { Session } from "../records/sessions.ts";
import { Refusal, systemCode } from "../refusal.ts";
import { completeForm, type StoreParts } from "../store/complete.ts";
import { dataPath, removeData, removeIfThere, spelledPath } from "./data.ts";
import { lockOf, removeSession } from "./remove.ts";

/** What is known of the data when all of it has arrived. */
export interface WholeData {
  /** Bytes. */
  readonly size: number;
  readonly checksums: Checksums;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** What the client said about the file; tus has no field for it but the metadata. */
function descriptionOf(session: Session): string | null {
  const text = plainText(parseMetadata(session.metadata)?.get("description") ?? "").trim();
  return text === "" ? null : text;
}

async function complete(store: StoreParts, session: Session, data: WholeData, maxFileSize: number): Promise<UploadRecord> {
  const file = {
    field: "file",
    name: session.name,
    contentType: session.contentType,
    path: spelledPath(store.paths, session.data),
    size: data.size,
    checksums: data.checksums,
  };
  const request = { submission: session.id, remoteAddress: session.remoteAddress, maxFileSize };
  const [record] = await completeForm(store, request, { files: [file], empty: [], description: descriptionOf(session), terminal: true });
  if (record === undefined) throw new Error("a completed form has a record");
  return record;
}

/** Comparisons that are under way. One may read the whole file, and be asked for again before it has ended. */
const comparisons = new Map<string, Promise<boolean>>();

/** Whether the data of a session is being compared with what was announced of it. */
export const isCompared = ({ id }: Session): boolean => comparisons.has(id);

async function isOther(store: StoreParts, session: Session, { checksums }: WholeData, signal: AbortSignal | undefined): Promise<boolean> {
  const known = comparisons.get(session.id);
  if (known !== undefined) return known;
  const comparison = differs(parseDigestField(session.announced) ?? [], checksums, dataPath(store.paths, session.data), signal).finally(() => comparisons.delete(session.id));
  comparisons.set(session.id, comparison);
  return comparison;
}

/** Its client has been given an address, and asks there what has become of it. */
async function refuseJoined(store: StoreParts, session: Session): Promise<void> {
  await removeData(store.paths, session.data);
  await store.records.sessions.update(session.id, { refused: true });
}

/** Why there is no file of parts that were joined. */
export const joinedOther = (): Refusal =>
  new Refusal("digest_mismatch", "The joined file differs from the Repr-Digest that was announced for it, so it was not kept; its parts are, and can be declared final again.");

/**
 * Files what has arrived. It may be called again at any time, also after a kill, and gives the same record.
 * @param maxFileSize bytes; 0 is no limit
 * @param signal ends the comparison with what was announced; its reason is thrown then
 * @throws {Refusal} `digest_mismatch`, after which nothing of the session is left but of a joined one that it was refused, or why it could not be filed
 */
export async function finishSession(store: StoreParts, session: Session, data: WholeData, maxFileSize: number, signal?: AbortSignal): Promise<UploadRecord> {
  if (await isOther(store, session, data, signal)) {
    if (session.kind === "joined") {
      await refuseJoined(store, session);
      throw joinedOther();
    }
    await removeSession(store, session);
    throw new Refusal("digest_mismatch", "The file differs from the Repr-Digest that was announced for it, so it was not kept.");
  }
  return store.locks.run([lockOf(session)], async () => {
    if ((await store.records.sessions.find(session.id)) === null) {
      // What was made after it was cancelled.
      await removeData(store.paths, session.data);
      throw new Refusal("not_found", "The upload was cancelled.");
    }
    try {
      const record = await complete(store, session, data, maxFileSize);
      await settled(store, session, data.size);
      return record;
    } catch (error) {
      // A completion that failed half-way has taken its file with it: what is left of the session would lie about it.
      if (!(await exists(dataPath(store.paths, session.data)))) await removeLost(store, session);
      throw error;
    }
  });
}

async function removeLost(store: StoreParts, session: Session): Promise<void> {
  if ((await store.records.ofRequest(session.id)).length > 0) return;
  await removeData(store.paths, session.data);
  await store.records.sessions.remove(session.id);
}

async function removeParts(store: StoreParts, { parts }: Session): Promise<void> {
  for (const id of parts) {
    const part = await store.records.sessions.find(id);
    if (part !== null) await removeSession(store, part);
  }
}

/** Marks a session whose record is complete; neither the state of the data nor parts are of more use. */
export async function settled(store: StoreParts, session: Session, size: number): Promise<void> {
  const { sessions } = store.records;
  await removeIfThere(`${dataPath(store.paths, session.data)}.state`);
  // They go before the row is marked: nobody comes back to a marked one whose parts a kill has left.
  if (session.kind === "joined") await removeParts(store, session);
  if (session.kind === "file") for (const part of await sessions.partsOf(session.data)) await sessions.remove(part.id);
  await sessions.update(session.id, { state: "complete", total: size, expiresAt: session.expiresAt });
}

/** A file of nothing: no body brings it, so nobody has made it. */
export async function finishEmpty(store: StoreParts, session: Session, checksums: readonly ChecksumName[]): Promise<UploadRecord> {
  const handle = await open(dataPath(store.paths, session.data), "w", store.fileMode);
  await handle.close();
  const sums = Object.fromEntries(checksums.map((name) => [name, name === "crc32" ? "00000000" : createHash(name).digest("hex")]));
  return finishSession(store, session, { size: 0, checksums: sums }, 0);
}
