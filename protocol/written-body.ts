/** The form that nginx passes on when it has written a body that is a file, or a piece of one. */
import { parseByteCount } from "./byte-count.ts";
import { type ChecksumName, type Checksums, isChecksum } from "./checksum.ts";
import type { FormField } from "./completion.ts";

export interface WrittenForm {
  /** Id of the session; empty for a file of its own. */
  readonly session: string;
  /** Absolute path of the data. */
  readonly path: string;
  /** The client's: nginx asks with a type of its own. */
  readonly contentType: string;
  /** Bytes. */
  readonly size: number;
  /** First byte of the data that is missing. */
  readonly offset: number;
  readonly outcome: "complete" | "partial" | "aborted";
  readonly checksums: Checksums;
}

const outcomes = ["complete", "partial", "aborted"] as const;

/**
 * Reads the form; every field is nginx's own.
 * @param names checksums that the site asks for
 * @throws {Error} when it is not what nginx writes
 */
export function readWrittenForm(fields: readonly FormField[], names: readonly ChecksumName[]): WrittenForm {
  const values = new Map(fields.map(({ name, value }) => [name, value]));
  const text = (name: string): string => values.get(name) ?? "";
  const size = parseByteCount(text("size"));
  const offset = parseByteCount(text("offset"));
  const outcome = outcomes.find((known) => known === text("outcome"));
  if (size === undefined || offset === undefined || outcome === undefined || values.size !== fields.length) {
    throw new Error(`not the form of a written body: ${JSON.stringify(fields).slice(0, 500)}`);
  }
  const checksums = Object.fromEntries(names.flatMap((name) => (isChecksum(name, text(name)) ? [[name, text(name)]] : [])));
  return { session: text("session"), path: text("path"), contentType: text("content_type"), size, offset, outcome, checksums };
}
