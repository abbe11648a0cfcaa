import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Nginx, NginxOptions } from "./nginx.ts";
import { stateHeader } from "./state-file.ts";
import { exchange, head, post, type WireAnswer } from "./wire.ts";

const type = "application/octet-stream";

export const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** A value of Content-Digest or Repr-Digest (RFC 9530, section 2). */
export function digestField(bytes: Buffer, algorithm: "sha-256" | "sha-512" = "sha-256"): string {
  return `${algorithm}=:${createHash(algorithm.replace("-", "")).update(bytes).digest("base64")}:`;
}

/**
 * A server that takes files in pieces: `/ranged` in segments, `/piece` to the path that `X-Path` says, `/new` whole.
 * @param directives of the server, beside these
 */
export function piecesSite(more: Partial<NginxOptions> = {}, directives = ""): NginxOptions {
  return {
    server: `
    upload_store %STORE%; client_body_buffer_size 64k; upload_buffer_size 64k; client_body_timeout 5s;
    upload_set_form_field path "$upload_tmp_path"; upload_set_form_field name "$upload_file_name";
    upload_aggregate_form_field sha256 "$upload_file_sha256"; upload_aggregate_form_field size "$upload_file_size";
    upload_aggregate_form_field outcome "$upload_outcome"; upload_aggregate_form_field offset "$upload_offset";
    ${directives}
    location /ranged { upload_pass @done; upload_resumable on; upload_max_file_size 100m; upload_cleanup 422; }
    location /new { upload_pass @done; upload_raw on; }
    location /piece { upload_pass @done; upload_raw on; upload_raw_path $http_x_path; upload_raw_offset $http_x_offset; upload_raw_length $http_x_length; }
    location @done { proxy_pass http://%UPSTREAM%; proxy_ignore_client_abort on; }`,
    keepsFiles: true,
    workers: 4,
    ...more,
  };
}

/** Options of {@link piecesSite} with which the kernel spreads connections over the workers: which has one is not a matter of who is awake. */
export const spread = { listen: "listen 127.0.0.1:%PORT% reuseport;" } as const satisfies Partial<NginxOptions>;

/** Directives with which each answer says which worker it is from, in `X-Worker`. */
export const tellsWorker = "add_header X-Worker $pid always;";

/** The head of a segment of a session's file. @param to one past the last byte */
export function segmentHead(session: string, from: number, to: number, total: number): Buffer {
  return head("/ranged", { type, length: to - from, extra: segmentHeaders(session, from, to, total) });
}

const segmentHeaders = (session: string, from: number, to: number, total: number): string[] => [
  `Session-ID: ${session}`,
  `Content-Range: bytes ${from}-${to - 1}/${total}`,
  'Content-Disposition: attachment; filename="a b.bin"',
];

/** A segment of a session's file, whole. @param to one past the last byte */
export function segment(bytes: Buffer, session: string, from: number, to: number, extra: readonly string[] = []): Buffer {
  return post("/ranged", bytes.subarray(from, to), { type, extra: [...segmentHeaders(session, from, to, bytes.length), ...extra] });
}

/** The head of a piece for a path. @param length of the body; null: not said */
export function pieceHead(path: string, from: number, length: number | null, extra: readonly string[] = []): Buffer {
  return head("/piece", { method: "PATCH", type, length, extra: [`X-Path: ${path}`, `X-Offset: ${from}`, ...extra] });
}

/** Sends a piece for a path of a file whose length is said. @param to one past the last byte */
export async function sendPiece(port: number, path: string, bytes: Buffer, from: number, to: number = bytes.length, extra: readonly string[] = []): Promise<WireAnswer> {
  return exchange(port, pieceHead(path, from, to - from, [`X-Length: ${bytes.length}`, ...extra]), bytes.subarray(from, to));
}

/** What a state file says; docs/internals/upload-state.md. */
export interface PieceState {
  readonly complete: boolean;
  readonly total: number;
  readonly hashed: number;
  readonly handed: number;
  readonly told: boolean;
  readonly path: string;
  /** First bytes, and one past the last. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly claims: number;
  /** Algorithms of the digests that it has. */
  readonly algorithms: readonly string[];
}

/** A file of which only its last bytes are missing: all else is zeros, and digested. */
export interface AlmostWhole {
  /** Bytes of the whole. */
  readonly size: number;
  /** SHA-256's chaining words before the last bytes (FIPS 180-4, section 6.2), hex. */
  readonly words: string;
  /** SHA-256 of the whole, hex. */
  readonly sha256: string;
}

/** Bytes that are missing of {@link almostWhole}. */
export const MISSING = 4 * 1024 * 1024;

export const almostWhole: readonly AlmostWhole[] = [
  { size: 64 * 1024 ** 2, words: "df6a8be0cb99228034e16e0d401fb86193dc7978f20c93e197cbb012ce64c636", sha256: "3b6a07d0d404fab4e23b6d34bc6696a6a312dd92821332385e5af7c01c421351" },
  { size: 64 * 1024 ** 3, words: "ad211b6c075bfdfb71b869edb737ecab68c31faeddb060c465bd8ceac4267ad3", sha256: "57b295ba06757c81edca2d1e299133b2f059bea28e6cf9f438d7741611c36541" },
];

/** The first version of a state of such a file; docs/internals/upload-state.md. */
export function almostWholeState(path: string, { size, words }: AlmostWhole): Buffer {
  const there = BigInt(size - MISSING);
  const body = Buffer.alloc(24 + path.length + 16 + 12 + 32);
  body.writeUInt32LE(path.length, 0);
  body.writeBigUInt64LE(1n, 8);
  body.writeUInt32LE(44, 16);
  body.write(path, 24, "latin1");
  body.writeBigInt64LE(there, 24 + path.length + 8);
  const digest = body.subarray(24 + path.length + 16);
  digest.writeUInt8(1, 0);
  digest.writeUInt8(4, 1);
  digest.writeBigUInt64LE(there, 4);
  Buffer.from(words, "hex").swap32().copy(digest, 12);

  return Buffer.concat([Buffer.alloc(512), stateHeader({ sequence: 1, total: size, hashed: size - MISSING }, body), body]);
}

/** Algorithms in the order of their bits; docs/internals/upload-state.md, section 4. */
const ALGORITHMS = ["md5", "sha1", "sha256", "sha512", "crc32"];

/** Reads that nginx may disturb, as it writes a version beside the other while a test reads without its lock. */
const READS = 100;

/** Reads the newest whole version of a state file. @throws when there is none */
export function readState(path: string): PieceState {
  for (let reads = 0; reads < READS; reads++) {
    const state = wholeState(readFileSync(path));
    if (state !== undefined) return state;
  }
  throw new Error(`${path}: no version of a state`);
}

function wholeState(file: Buffer): PieceState | undefined {
  const versions = [0, 512]
    .map((at) => file.subarray(at, at + 512))
    .filter((header) => header.length === 512 && header.toString("latin1", 0, 8) === "UPLSTATE" && crc32(header.subarray(0, 508)) === header.readUInt32LE(508))
    .sort((one, other) => Number(other.readBigUInt64LE(16) - one.readBigUInt64LE(16)));
  for (const header of versions) {
    const at = Number(header.readBigUInt64LE(72));
    const body = file.subarray(at, at + Number(header.readBigUInt64LE(80)));
    if (crc32(body) === header.readUInt32LE(88)) return stateOf(header, body);
  }
  return undefined;
}

function stateOf(header: Buffer, body: Buffer): PieceState {
  const number = (at: number, of: Buffer = header): number => Number(of.readBigInt64LE(at));
  const pathEnd = 24 + body.readUInt32LE(0);
  const ranges = Array.from({ length: number(8, body) }, (_, i) => [number(pathEnd + 16 * i, body), number(pathEnd + 16 * i + 8, body)] as const);
  const flags = header.readUInt32LE(12);
  const claims = body.readUInt32LE(4);
  const algorithms = body.readUIntLE(pathEnd + 16 * ranges.length + 24 * claims + 1, 3);
  return {
    complete: (flags & 1) === 1,
    total: number(40),
    hashed: number(48),
    handed: header.readUInt32LE(96),
    told: (flags & 4) === 4,
    path: body.toString("latin1", 24, pathEnd),
    ranges,
    claims,
    algorithms: ALGORITHMS.filter((_, bit) => (algorithms >> bit) & 1),
  };
}

/** Sizes of the data files that nginx's workers have open, those without a name too. */
export function openSizes(nginx: Nginx): number[] {
  const open = nginx.workers().flatMap((pid) => readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`));
  const named = open.flatMap((fd) => {
    try {
      return [{ path: readlinkSync(fd), size: statSync(fd).size }];
    } catch {
      return []; // closed meanwhile
    }
  });
  return named.filter(({ path }) => path.startsWith(`${nginx.store}/`) && !path.endsWith(".state")).map(({ size }) => size);
}
