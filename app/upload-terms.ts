/**
 * What the site asks of an upload. nginx, which keeps to it, says it with every request (docs/internals/contracts.md,
 * section 1): so the two never differ, and a changed setting of the upload replaces nginx alone.
 */
import { showValue } from "../lib/problems.ts";
import { parseSize } from "../lib/size.ts";
import { type ChecksumName, isChecksumName } from "../protocol/checksum.ts";

export interface UploadTerms {
  /** Where the page posts to. */
  readonly path: string;
  /** Address that tus uploads are made at; null where the site has none. */
  readonly tusPath: string | null;
  /** Bytes; 0 is no limit. */
  readonly maxFileSize: number;
  /** Bytes that stay free on the store's disk. */
  readonly minFreeSpace: number;
  /** Checksums that every file must bring. */
  readonly checksums: readonly ChecksumName[];
}

function readPath(text: string): string | undefined {
  return /^\/[\w./~-]*$/.test(text) ? text : undefined;
}

function readChecksums(text: string): readonly ChecksumName[] | undefined {
  const names = text.split(",").filter((name) => name !== "");
  return names.every(isChecksumName) && new Set(names).size === names.length ? names : undefined;
}

/**
 * Reads the terms of a request.
 * @param header gives a header's value, empty when there is none
 * @throws {Error} when nginx sent what it cannot mean
 */
export function readUploadTerms(header: (name: string) => string): UploadTerms {
  function take<T>(name: string, fallback: string, read: (text: string) => T | undefined): T {
    const text = header(name) || fallback;
    const value = read(text);
    if (value === undefined) throw new Error(`${name}: not usable, got ${showValue(text)}; deploy the site again, so that nginx and service fit`);
    return value;
  }
  return {
    path: take("X-Slipway-Upload-Path", "/upload", readPath),
    tusPath: take("X-Slipway-Tus-Path", "", (text) => (text === "" ? null : readPath(text))),
    maxFileSize: take("X-Slipway-Max-File-Size", "0", (text) => parseSize(text)?.bytes),
    minFreeSpace: take("X-Slipway-Min-Free-Space", "0", (text) => parseSize(text)?.bytes),
    checksums: take("X-Slipway-Checksums", "", readChecksums),
  };
}
