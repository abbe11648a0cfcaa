/**
 * Many small files in one form, which a site takes as a whole or not at all. HTTP has no words for either header.
 */
import type { Checksums } from "./checksum.ts";

/** Of an answer to OPTIONS at `/tus/`: most files that a client should put into one form, each with its `relativePath`. */
export const formFilesHeader = "Slipway-Form-Files";

/** The value of {@link formFilesHeader}: beyond it a form saves nothing more, and more is to be sent again when it breaks. */
export const mostFormFiles = 64;

/** Of a form: what its files must be, a dictionary of digests as in RFC 9530, over {@link filesDigestText}. */
export const filesDigestHeader = "Slipway-Files-Digest";

/** What the digest of several files is computed of: their SHA-256 in lower-case hex, in their order, each on a line. */
export function filesDigestText(files: readonly Checksums[]): string {
  return files.map(({ sha256 = "" }) => `${sha256}\n`).join("");
}
