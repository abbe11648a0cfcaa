/** The tus protocol, version 1.0.0 (https://tus.io/protocols/resumable-upload): its words, without any transport. */
import { parseByteCount } from "./byte-count.ts";

export const tusVersion = "1.0.0";

/** What this server does of the protocol beyond its core; only that is announced. */
export const tusExtensions = ["creation", "creation-with-upload", "creation-defer-length", "expiration", "termination", "concatenation", "checksum"] as const;

/** Type of every body that carries bytes of a file. */
export const tusBodyType = "application/offset+octet-stream";

/** Headers of tus requests and answers that a page of another origin may use. */
export const tusHeaders = [
  "Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Upload-Offset", "Upload-Length",
  "Upload-Defer-Length", "Upload-Metadata", "Upload-Expires", "Upload-Concat",
  "Upload-Checksum", "Tus-Checksum-Algorithm",
] as const;

/** Algorithms of `Upload-Checksum`: their names in the digest fields of HTTP (RFC 9530), and the bytes of a digest. */
const checksumAlgorithms: Readonly<Record<string, { readonly field: string; readonly bytes: number }>> = {
  sha1: { field: "sha", bytes: 20 },
  sha256: { field: "sha-256", bytes: 32 },
  sha512: { field: "sha-512", bytes: 64 },
  md5: { field: "md5", bytes: 16 },
  // Of zlib; its bytes are in network order, as those of every other digest.
  crc32: { field: "crc32", bytes: 4 },
};

/** Value of `Tus-Checksum-Algorithm`. */
export const tusChecksumAlgorithms = Object.keys(checksumAlgorithms).join(",");

/** A header that a request must have in a certain form. */
export interface HeaderRule {
  readonly name: string;
  /** The sentence of the specification. */
  readonly spec: string;
  readonly holds: (value: string) => boolean;
}

/** Rules of single headers; those that a request does not have are not looked at, unless the method asks for them. */
export const tusHeaderRules: readonly HeaderRule[] = [
  { name: "Upload-Offset", spec: "The value MUST be a non-negative integer.", holds: (value) => parseByteCount(value) !== undefined },
  { name: "Upload-Length", spec: "The value MUST be a non-negative integer.", holds: (value) => parseByteCount(value) !== undefined },
  { name: "Upload-Defer-Length", spec: "The Upload-Defer-Length header value MUST be 1.", holds: (value) => value === "1" },
  {
    name: "Upload-Metadata",
    spec: "The key and value MUST be separated by a space. The key MUST NOT contain spaces and commas and MUST NOT be empty. All keys MUST be unique.",
    holds: (value) => parseMetadata(value) !== undefined,
  },
  {
    name: "Upload-Concat",
    spec: "The Upload-Concat header MUST be set to partial, or to final;, followed by a list of partial upload URLs that need to be concatenated.",
    holds: (value) => parseConcat(value) !== undefined,
  },
  {
    name: "Upload-Checksum",
    spec: `The header MUST consist of the name of the used checksum algorithm (here one of ${tusChecksumAlgorithms}) and the Base64 encoded checksum separated by a space.`,
    holds: (value) => checksumField(value) !== undefined,
  },
];

/** The first rule that a request breaks; `undefined` when there is none. */
export function brokenTusRule(header: (name: string) => string): HeaderRule | undefined {
  return tusHeaderRules.find(({ name, holds }) => header(name) !== "" && !holds(header(name)));
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

function decodeText(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
}

/** `Upload-Metadata`: keys and decoded values; `undefined` when it is not well-formed. */
export function parseMetadata(value: string): ReadonlyMap<string, string> | undefined {
  const metadata = new Map<string, string>();
  if (value.trim() === "") return metadata;
  for (const pair of value.split(",")) {
    const [key = "", encoded = "", ...more] = pair.trim().split(" ");
    if (key === "" || more.length > 0 || metadata.has(key) || !base64.test(encoded)) return undefined;
    metadata.set(key, decodeText(encoded));
  }
  return metadata;
}

/**
 * `Upload-Checksum` as a digest field (RFC 9530) with the same digest; `undefined` when it is not well-formed, its
 * algorithm is none of ours, or the digest does not have the length of one.
 */
export function checksumField(value: string): string | undefined {
  const [, name = "", digest = ""] = /^([a-z0-9]+) (\S+)$/.exec(value.trim()) ?? [];
  const algorithm = Object.hasOwn(checksumAlgorithms, name) ? checksumAlgorithms[name] : undefined;
  if (algorithm === undefined || !base64.test(digest) || atob(digest).length !== algorithm.bytes) return undefined;
  return `${algorithm.field}=:${digest}:`;
}

/**
 * The file's name that metadata carry, with the folders before it where they are known: `relativePath` is what Uppy
 * calls the path of a file in a folder that was chosen (and "null" where there is none).
 */
export function nameIn(metadata: ReadonlyMap<string, string>): string | undefined {
  const path = metadata.get("relativePath") ?? "";
  return path.includes("/") ? path : (metadata.get("filename") ?? metadata.get("name"));
}

/** What `Upload-Concat` says. */
export type Concat =
  | { readonly kind: "partial" }
  /** Paths, or whole addresses, of the parts in their order. */
  | { readonly kind: "final"; readonly parts: readonly string[] };

/** `Upload-Concat`; `undefined` when it is not well-formed. */
export function parseConcat(value: string): Concat | undefined {
  if (value === "partial") return { kind: "partial" };
  const list = /^final;\s*(\S.*)$/.exec(value)?.[1];
  return list === undefined ? undefined : { kind: "final", parts: list.trim().split(/\s+/) };
}

/**
 * Where in a whole file a partial upload lies, as our own clients say it in the metadata of each part: `file` (a name
 * of the client's that all parts of one file share), `offset` and `total`, both in bytes.
 */
export interface PartPlace {
  readonly file: string;
  readonly offset: number;
  readonly total: number;
}

const fileKey = /^[A-Za-z0-9_-]{16,128}$/;

/** The place of a part; `undefined` when its metadata does not name one, and in a file of no bytes, which nobody writes. */
export function partPlace(metadata: ReadonlyMap<string, string>, length: number): PartPlace | undefined {
  const file = metadata.get("file") ?? "";
  const offset = parseByteCount(metadata.get("offset") ?? "");
  const total = parseByteCount(metadata.get("total") ?? "");
  if (!fileKey.test(file) || offset === undefined || total === undefined || offset + length > total || total === 0) return undefined;
  return { file, offset, total };
}
