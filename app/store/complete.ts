/** Completing an upload: checked, recorded, renamed, settled, in an order that a kill at any instant cannot break. */
import type { ChecksumName } from "../../protocol/checksum.ts";
import type { CompletedFile, CompletionForm } from "../../protocol/completion.ts";
import { safeFileName, safeFolder } from "../../protocol/file-name.ts";
import type { Log } from "../log.ts";
import type { Records, UploadRecord } from "../records/records.ts";
import { Refusal } from "../refusal.ts";
import { allOf } from "./all-of.ts";
import type { KeyedLocks } from "./locks.ts";
import { type StorePaths, targetPath } from "./paths.ts";
import { moveIntoPlace, removeFile } from "./settle.ts";
import type { Turns } from "./turns.ts";
import { removeSource, sourceOf, type VerifiedSource, verifySource } from "./verify.ts";
import type { Writers } from "./writers.ts";

/** What a store works with. */
export interface StoreParts {
  readonly paths: StorePaths;
  readonly records: Records;
  readonly locks: KeyedLocks;
  readonly writers: Writers;
  /** Files that are put together of parts, by session. */
  readonly joins: Turns;
  readonly fileMode: number;
  readonly directoryMode: number;
  readonly makeId: () => string;
  readonly log: Log;
}

/** Who asks, and what the site takes. */
export interface CompletionRequest {
  /** The same for a request that comes again. */
  readonly submission: string;
  readonly remoteAddress: string | null;
  /** Bytes; 0 is no limit. */
  readonly maxFileSize: number;
}

const longestContentType = 255;

/** The client's content type when it has the form of one (RFC 9110 section 8.3.1), else none. */
function plainContentType(text: string): string | null {
  return text.length <= longestContentType && /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;[\x20-\x7E]*)?$/.test(text) ? text : null;
}

function checkSizes(form: CompletionForm, maxFileSize: number): void {
  const over = maxFileSize === 0 ? undefined : form.files.find((file) => file.size > maxFileSize);
  if (over !== undefined) {
    throw new Refusal("too_large", `The file ${JSON.stringify(safeFileName(over.name))} has ${over.size} bytes; this site takes at most ${maxFileSize}.`);
  }
}

function makeRecord(parts: StoreParts, request: CompletionRequest, form: CompletionForm, file: CompletedFile, modified: bigint): UploadRecord {
  const id = parts.makeId();
  const name = safeFileName(file.name);
  const now = new Date();
  return {
    id,
    requestId: request.submission,
    source: sourceOf(parts.paths, file.path),
    target: targetPath(now, id, name),
    field: file.field,
    name,
    folder: safeFolder(file.name),
    contentType: plainContentType(file.contentType),
    size: file.size,
    checksums: file.checksums,
    description: form.description,
    remoteAddress: request.remoteAddress,
    modified,
    state: "received",
    receivedAt: now.toISOString(),
    completedAt: null,
  };
}

/** Forgets a form that cannot be completed. The files go first: a kill between leaves records, from which it is done again. */
export async function forget(parts: StoreParts, records: readonly UploadRecord[]): Promise<void> {
  for (const record of records) await removeFile(parts.paths, record);
  await parts.records.remove(records.map((record) => record.id));
}

/** Puts the files of one form's received records into their place and marks them complete: all of them or none. */
export async function settle(parts: StoreParts, records: readonly UploadRecord[]): Promise<readonly UploadRecord[]> {
  const open = records.filter((record) => record.state === "received");
  if (open.length === 0) return records;
  try {
    await allOf(open, (record) => moveIntoPlace(parts.paths, record, parts.directoryMode));
    const completedAt = new Date().toISOString();
    await parts.records.markComplete(open.map((record) => record.id), completedAt);
    return records.map((record) => (record.state === "complete" ? record : { ...record, state: "complete", completedAt }));
  } catch (error) {
    await forget(parts, open).catch((undoing: unknown) => {
      parts.log.error({ err: undoing, ids: open.map((record) => record.id) }, "a failed completion could not be undone; it is tried again by the janitor");
    });
    throw error;
  }
}

/** Files that nginx made and nobody needs; whatever is wrong with them is the janitor's. */
async function removeUnneeded(parts: StoreParts, files: readonly CompletedFile[]): Promise<void> {
  for (const file of files) {
    try {
      await removeSource(parts.paths, sourceOf(parts.paths, file.path), file.size);
    } catch (error) {
      parts.log.warn({ err: error, path: file.path }, "a file that is not needed could not be removed");
    }
  }
}

function hasChecksums(record: UploadRecord, { checksums }: CompletedFile): boolean {
  return Object.entries(checksums).every(([name, sum]) => record.checksums[name as ChecksumName] === sum);
}

const isAlike = (record: UploadRecord, file: CompletedFile): boolean =>
  record.name === safeFileName(file.name) && record.folder === safeFolder(file.name) && record.size === file.size && hasChecksums(record, file);

/** The records of files that are alike, one for each, in the order of the files; `null` when one has none. */
function recordsOf(files: readonly CompletedFile[], records: readonly UploadRecord[]): readonly UploadRecord[] | null {
  const left = [...records];
  const found: UploadRecord[] = [];
  for (const file of files) {
    const at = left.findIndex((record) => isAlike(record, file));
    if (at < 0) return null;
    found.push(...left.splice(at, 1));
  }
  return found;
}

/**
 * The records of a completion that was here before, settled: by the same files, or by ones that are alike, of which
 * some may be missing now. `null` when it was not.
 */
async function seenBefore(parts: StoreParts, request: CompletionRequest, form: CompletionForm, sources: readonly string[]): Promise<readonly UploadRecord[] | null> {
  const known = await parts.records.ofRequest(request.submission);
  if (known.length === 0) return null;
  const settled = await settle(parts, known);
  if (known.length === sources.length && known.every((record) => sources.includes(record.source))) return settled;
  const records = recordsOf(form.files, settled);
  if (records === null) {
    throw new Refusal("bad_form", "This request was completed before, with other files. A new one needs an Idempotency-Key of its own.");
  }
  await removeUnneeded(parts, [...form.files, ...form.empty]);
  return records;
}

/** Names of ranged uploads, `SESSION.<ten digits>`: only their files are named again after they have gone. */
export const isRanged = (source: string): boolean => /\.\d{10}$/.test(source);

/**
 * The record of a file whose last ranged segment was sent again, because its answer was lost: nginx names the same
 * file, which has gone where it belongs. `null` when there is none.
 */
async function filedBefore(parts: StoreParts, source: string, file: CompletedFile): Promise<UploadRecord | null> {
  if (!isRanged(source)) return null;
  return (await parts.records.ofSource(source)).find((record) => record.size === file.size && hasChecksums(record, file)) ?? null;
}

/** The records of a form of which no file is there any more, when all of them were filed before. */
async function allFiledBefore(parts: StoreParts, form: CompletionForm, sources: readonly string[]): Promise<readonly UploadRecord[] | null> {
  const records: UploadRecord[] = [];
  for (const [index, file] of form.files.entries()) {
    const record = await filedBefore(parts, sources[index] as string, file);
    if (record === null) return null;
    records.push(record);
  }
  return records;
}

async function verifyAll(parts: StoreParts, request: CompletionRequest, form: CompletionForm, sources: readonly string[]): Promise<{ readonly records: readonly UploadRecord[]; readonly fsyncMs: number }> {
  const verified = await allOf(form.files, ({ size }, index) => verifySource(parts.paths, sources[index] as string, size, parts.fileMode));
  return {
    // Made in the order of the form: so their ids, by which the answer to a repeated form is sorted, stand in it too.
    records: form.files.map((file, index) => makeRecord(parts, request, form, file, (verified[index] as VerifiedSource).modified)),
    fsyncMs: Math.max(...verified.map(({ fsyncMs }) => fsyncMs)),
  };
}

/**
 * Completes a form. When the promise settles, files and records are durable; when it fails, nothing of it is kept.
 * The same submission with the same files, or with others that have the same names, sizes and checksums, gives the same
 * answer however often it comes, and with some of them the answer for those; what came once more is removed.
 * @throws {Refusal}
 */
export async function completeForm(parts: StoreParts, request: CompletionRequest, form: CompletionForm): Promise<readonly UploadRecord[]> {
  if (form.files.length === 0) throw new Refusal("no_file");
  const sources = form.files.map((file) => sourceOf(parts.paths, file.path));
  return parts.locks.run([...sources, request.submission], async () => {
    const known = await seenBefore(parts, request, form, sources);
    if (known !== null) return known;
    checkSizes(form, request.maxFileSize);
    const start = performance.now();
    const verified = await verifyAll(parts, request, form, sources).catch(async (error: unknown) => {
      const before = error instanceof Refusal && error.code === "upload_gone" ? await allFiledBefore(parts, form, sources) : null;
      if (before === null) throw error;
      return before;
    });
    if (!("fsyncMs" in verified)) return verified;
    const { records, fsyncMs } = verified;
    await parts.records.insertReceived(records);
    const settled = await settle(parts, records);
    const completeMs = performance.now() - start;
    parts.log.info({ submission: request.submission, ids: records.map(({ id }) => id), fsyncMs, completeMs }, "form complete");
    await removeUnneeded(parts, form.empty);
    return settled;
  });
}
