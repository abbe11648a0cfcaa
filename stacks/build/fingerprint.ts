import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** One file of an image's build context. */
export interface ContextFile {
  /** Path inside the context, with `/`. */
  readonly path: string;
  /** Permission bits, as Docker copies them into the image. */
  readonly mode: number;
  /** The bytes, or the absolute path on the host of a file that holds them. */
  readonly content: Uint8Array | string;
}

/** What an image is built from: files, and the arguments of its Dockerfile. */
export interface ContextInputs {
  readonly files: readonly ContextFile[];
  /** `ARG` values by name. */
  readonly args: Readonly<Record<string, string>>;
}

/**
 * SHA-256, in hex, over every path, mode and byte of the context and over its arguments. It does
 * not depend on their order, on times, on owners or on where the files lie on this machine.
 *
 * @throws Error when two files have the same path, or a file cannot be read
 */
export function fingerprint(inputs: ContextInputs): string {
  const hash = createHash("sha256");
  for (const [name, value] of Object.entries(inputs.args).sort(byFirst)) record(hash, `arg ${name}`, Buffer.from(value));
  const files = inputs.files.map((file): [string, ContextFile] => [file.path, file]).sort(byFirst);
  files.forEach(([path, file], index) => {
    if (files[index + 1]?.[0] === path) throw new Error(`build context: two files have the path "${path}"`);
    record(hash, `file ${file.mode.toString(8)} ${path}`, bytesOf(file));
  });
  return hash.digest("hex");
}

/** The file's bytes. */
export function bytesOf(file: ContextFile): Uint8Array {
  return typeof file.content === "string" ? readFileSync(file.content) : file.content;
}

/** Lengths stand before what they measure, so that no bytes can move from one field into the next unseen. */
function record(hash: ReturnType<typeof createHash>, label: string, bytes: Uint8Array): void {
  hash.update(`${Buffer.byteLength(label)}:${label}${bytes.length}:`).update(bytes);
}

/** By code unit: the same everywhere, unlike a locale's order. */
function byFirst(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
