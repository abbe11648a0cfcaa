/** State files of the module, without the module. */
import { crc32 } from "node:zlib";

/** One of the versions that a state file has room for. */
export interface StateVersion {
  readonly sequence: number;
  readonly total?: number;
  readonly flags?: number;
  readonly ranges?: readonly (readonly [number, number])[];
  readonly claims?: readonly (readonly [number, number])[];
  readonly at?: number;
}

/** The header of a version, for a body that begins at `at`. */
export function stateHeader({ sequence, flags = 0, total = -1, hashed = 0, at = 1024 }: Omit<StateVersion, "ranges" | "claims"> & { readonly hashed?: number }, body: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write("UPLSTATE", "latin1");
  header.writeUInt32LE(1, 8);
  header.writeUInt32LE(flags, 12);
  header.writeBigUInt64LE(BigInt(sequence), 16);
  header.writeBigInt64LE(BigInt(total), 40);
  header.writeBigInt64LE(BigInt(hashed), 48);
  header.writeBigUInt64LE(BigInt(at), 72);
  header.writeBigUInt64LE(BigInt(body.length), 80);
  header.writeUInt32LE(crc32(body), 88);
  header.writeUInt32LE(crc32(header.subarray(0, 508)), 508);
  return header;
}

/** A state file as docs/internals/upload-state.md lays it out, written by hand. */
export function stateFile(versions: readonly StateVersion[]): Buffer {
  const file = Buffer.alloc(4096);
  for (const { sequence, total = -1, flags = 0, ranges = [], claims = [], at = 1024 } of versions) {
    const body = Buffer.alloc(24 + ranges.length * 16 + claims.length * 24);
    body.writeUInt32LE(claims.length, 4);
    body.writeBigUInt64LE(BigInt(ranges.length), 8);
    [...ranges].forEach(([start, end], i) => (body.writeBigInt64LE(BigInt(start), 24 + i * 16), body.writeBigInt64LE(BigInt(end), 32 + i * 16)));
    const from = 24 + ranges.length * 16;
    [...claims].forEach(([start, end], i) => (body.writeBigUInt64LE(1n, from + i * 24), body.writeBigInt64LE(BigInt(start), from + i * 24 + 8), body.writeBigInt64LE(BigInt(end), from + i * 24 + 16)));
    stateHeader({ sequence, flags, total, at }, body).copy(file, sequence % 2 === 0 ? 0 : 512);
    body.copy(file, at);
  }
  return file;
}
