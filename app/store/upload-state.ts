/** Reads the state that nginx's module keeps beside a file that arrives in pieces (docs/internals/upload-state.md). */
import { readFile } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { systemCode } from "../refusal.ts";

/** Which bytes have arrived: `start` is the first byte, `end` one past the last. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface UploadState {
  /** Whether every byte of the file has arrived. */
  readonly complete: boolean;
  /** Bytes of the whole file; null while it is not known. */
  readonly total: number | null;
  /** Sorted; neither overlap nor touch. */
  readonly received: readonly ByteRange[];
  /** What requests of nginx's that still run may write. */
  readonly claimed: readonly ByteRange[];
}

/** A state that no version of can be read; its data is of no use. */
export class StateUnreadable extends Error {
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.name = "StateUnreadable";
  }
}

const magic = "UPLSTATE";
const headerLength = 512;
const bodyFrom = 2 * headerLength;
const longestFile = 64 * 1024 * 1024;
const longestPath = 4095;
const mostClaims = 4096;
const longestDigests = 1024;

/** Reads that are tried when a writer was faster than the reader. */
const attempts = 5;

interface Header {
  readonly sequence: bigint;
  readonly complete: boolean;
  readonly total: bigint;
  readonly bodyOffset: number;
  readonly bodyLength: number;
  readonly bodyCrc: number;
}

type Read<T> = { readonly kind: "empty" | "torn" } | { readonly kind: "refused"; readonly reason: string } | { readonly kind: "good"; readonly value: T };

/** Sections 2 and 5.1, 5.2. */
function readHeader(file: Buffer, index: 0 | 1): Read<Header> {
  const bytes = file.subarray(index * headerLength, (index + 1) * headerLength);
  if (bytes.every((byte) => byte === 0)) return { kind: "empty" };
  if (bytes.length < headerLength || crc32(bytes.subarray(0, 508)) !== bytes.readUInt32LE(508)) return { kind: "torn" };
  const flags = bytes.readUInt32LE(12);
  const sequence = bytes.readBigUInt64LE(16);
  const total = bytes.readBigInt64LE(40);
  const offset = bytes.readBigUInt64LE(72);
  const length = bytes.readBigUInt64LE(80);
  const right =
    bytes.toString("latin1", 0, 8) === magic && bytes.readUInt32LE(8) === 1 && [0, 1, 3, 7].includes(flags) && sequence > 0n && sequence % 2n === BigInt(index) &&
    total >= -1n && offset >= BigInt(bodyFrom) && length >= 24n && offset + length <= BigInt(longestFile);
  if (!right) return { kind: "refused", reason: "a header of another program or version" };
  const value = { sequence, complete: (flags & 1) === 1, total, bodyOffset: Number(offset), bodyLength: Number(length), bodyCrc: bytes.readUInt32LE(88) };
  return { kind: "good", value };
}

/** Section 3. */
function readBody(file: Buffer, header: Header): Read<UploadState> {
  const body = file.subarray(header.bodyOffset, header.bodyOffset + header.bodyLength);
  if (body.length < header.bodyLength || crc32(body) !== header.bodyCrc) return { kind: "torn" };
  const [path, claims, ranges, digests] = [body.readUInt32LE(0), body.readUInt32LE(4), Number(body.readBigUInt64LE(8)), body.readUInt32LE(16)];
  const length = 24 + path + ranges * 16 + claims * 24 + digests;
  if (path > longestPath || claims > mostClaims || digests > longestDigests || length !== body.length) return { kind: "refused", reason: "a body that breaks the format" };
  const received: ByteRange[] = [];
  let last = -1n;
  for (let at = 24 + path, i = 0; i < ranges; i += 1, at += 16) {
    const [start, end] = [body.readBigInt64LE(at), body.readBigInt64LE(at + 8)];
    if (start <= last || end <= start || (header.total >= 0n && end > header.total)) return { kind: "refused", reason: "ranges that break the format" };
    received.push({ start: Number(start), end: Number(end) });
    last = end;
  }
  const claimed = Array.from({ length: claims }, (_, i) => {
    const at = 24 + path + ranges * 16 + i * 24;
    return { start: Number(body.readBigInt64LE(at + 8)), end: Number(body.readBigInt64LE(at + 16)) };
  });
  return { kind: "good", value: { complete: header.complete, total: header.total < 0n ? null : Number(header.total), received, claimed } };
}

/** Section 5: the newest version that is whole; `null` when there is none yet. */
export function parseUploadState(file: Buffer): Read<UploadState | null> {
  if (file.length > longestFile) return { kind: "refused", reason: "too long to be a state" };
  const even = readHeader(file, 0);
  const odd = readHeader(file, 1);
  for (const header of [even, odd]) if (header.kind === "refused") return header;
  const good = [even, odd].flatMap((header) => (header.kind === "good" ? [header.value] : [])).sort((a, b) => (a.sequence > b.sequence ? -1 : 1));
  for (const header of good) {
    const body = readBody(file, header);
    if (body.kind !== "torn") return body;
  }
  const begins = even.kind === "empty" && (odd.kind !== "good" || odd.value.sequence === 1n);
  return begins ? { kind: "good", value: null } : { kind: "torn" };
}

/**
 * The state of a data file; `null` when nothing has been written of it. nginx may be writing it: what is read is a
 * version that was there, perhaps not the newest.
 * @param data absolute path of the data
 * @throws {StateUnreadable} when no version can be read
 */
export async function readUploadState(data: string): Promise<UploadState | null> {
  const path = `${data}.state`;
  let reason = "";
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    try {
      const read = parseUploadState(await readFile(path));
      if (read.kind === "good") return read.value;
      reason = read.kind === "refused" ? read.reason : "no version is whole";
    } catch (error) {
      if (systemCode(error) === "ENOENT") return null;
      throw error;
    }
  }
  throw new StateUnreadable(path, reason);
}

/** How many bytes have arrived without a gap from a place on. */
export function contiguousFrom(state: UploadState | null, base: number): number {
  const range = state?.received.find(({ start, end }) => start <= base && base < end);
  return range === undefined ? 0 : range.end - base;
}
