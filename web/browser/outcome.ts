/** What an answer of the server means. Pure; the answers are those of docs/internals/contracts.md, section 4. */
import { explain } from "../strings/refusals/refusals.ts";
import { FORMAT, LANGUAGE, PROBLEM } from "./words.ts";
import type { Found } from "./drop.ts";
import type { NewFile, Problem, UploadResult } from "./queue.ts";

export type Outcome =
  | { readonly kind: "done"; readonly result: UploadResult }
  | { readonly kind: "fail"; readonly problem: Problem };

type Fields = Readonly<Record<string, unknown>>;

function asFields(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

function parse(text: string): Fields | null {
  try {
    return asFields(JSON.parse(text));
  } catch {
    // An answer in another form than JSON is a proxy's; the caller says so.
    return null;
  }
}

function resultOf(fields: Fields): UploadResult | null {
  const { id, name, size } = fields;
  if (typeof id !== "string" || typeof name !== "string" || typeof size !== "number") return null;
  const digests = Object.entries(asFields(fields.checksums) ?? {});
  const checksums = digests.flatMap(([algorithm, digest]) => (typeof digest === "string" ? [[algorithm, digest] as const] : []));
  return { id, name, size, checksums: Object.fromEntries(checksums) };
}

function problemOf(fields: Fields): Problem | null {
  const error = asFields(fields.error);
  if (error === null || typeof error.message !== "string") return null;
  const hint = typeof error.hint === "string" ? error.hint : "";
  const problem = explain(LANGUAGE, { message: error.message, hint, ...(typeof error.code === "string" ? { code: error.code } : {}) });
  return typeof error.requestId === "string" ? { ...problem, requestId: error.requestId } : problem;
}

/** The outcome of an upload from the status and body of its answer. */
export function outcomeOf(status: number, body: string): Outcome {
  const fields = parse(body);
  if (fields !== null && status >= 200 && status < 300) {
    const result = resultOf(fields);
    if (result !== null) return { kind: "done", result };
  }
  const problem = fields === null ? null : problemOf(fields);
  return { kind: "fail", problem: problem ?? PROBLEM.unexpected(status) };
}

/** What an upload has come to once the server's digest is compared with this device's own, where there is one. */
export function compared(result: UploadResult, own: string | null): Outcome {
  const theirs = result.checksums["sha256"];
  if (own === null || theirs === undefined) return { kind: "done", result };
  return own === theirs ? { kind: "done", result: { ...result, verified: true } } : { kind: "fail", problem: PROBLEM.mismatch(own, theirs) };
}

/** What is known when a request ends without an answer; browsers do not say more. */
export interface Breakdown {
  readonly isOnline: boolean;
  /** Whether the file's bytes could still be read afterwards. */
  readonly isReadable: boolean;
  /** Bytes of the file sent before. */
  readonly loaded: number;
  /** Size of the file, bytes. */
  readonly total: number;
  /** Whether the whole request was sent and only the answer missing. */
  readonly isSent: boolean;
}

/** The most likely cause of a request that ended without an answer. */
export function problemOfBreakdown(breakdown: Breakdown): Problem {
  if (breakdown.isSent) return PROBLEM.unanswered;
  if (!breakdown.isReadable) return PROBLEM.unreadable;
  if (!breakdown.isOnline) return PROBLEM.offline;
  if (breakdown.loaded === 0) return PROBLEM.unreachable;
  return PROBLEM.closed(FORMAT.bytes(breakdown.loaded), FORMAT.bytes(breakdown.total));
}

/** Why a file is not even sent, or undefined when it may be. */
export function problemBeforeSending(size: number, maxFileSize: number): Problem | undefined {
  if (maxFileSize === 0 || size <= maxFileSize) return undefined;
  // Rounded to three digits the two could read the same, and the sentence be a riddle; then it is said to the byte.
  const isClose = size - maxFileSize < maxFileSize / 100;
  const format = isClose ? FORMAT.exactBytes : FORMAT.bytes;
  return PROBLEM.tooLarge(format(size), format(maxFileSize));
}

/** A chosen file as the queue takes it; one that is too large is shown and never sent. @param maxFileSize Bytes; 0 is no limit. */
export function newFileOf({ file, folder }: Found, maxFileSize: number): NewFile {
  const problem = problemBeforeSending(file.size, maxFileSize);
  const known = { name: file.name, size: file.size, folder };
  return problem === undefined ? known : { ...known, problem };
}
