/**
 * The first state of a file whose parts may begin anywhere. Without one, nginx's module takes what stands before a
 * first piece for bytes that others have put there (docs/internals/upload-state.md has the format). It is written
 * before nginx hears of the file, so nobody else can hold the lock.
 */
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { StorePaths } from "../store/paths.ts";
import { dataPath, spelledPath } from "./data.ts";

const headerLength = 512;
const bodyOffset = 2 * headerLength;
const bodyPrefix = 24;
/** State of no digests yet: version, algorithms, bytes taken. */
const noDigests = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** Version 1 of a state: nothing received, nothing claimed. */
export function firstState(path: string, total: number): Buffer {
  const name = Buffer.from(path);
  const prefix = Buffer.alloc(bodyPrefix);
  prefix.writeUInt32LE(name.length, 0);
  prefix.writeUInt32LE(noDigests.length, 16);
  const body = Buffer.concat([prefix, name, noDigests]);
  const header = Buffer.alloc(headerLength);
  header.write("UPLSTATE", "latin1");
  header.writeUInt32LE(1, 8);
  header.writeBigUInt64LE(1n, 16);
  header.writeBigInt64LE(BigInt(total), 40);
  header.writeBigUInt64LE(BigInt(bodyOffset), 72);
  header.writeBigUInt64LE(BigInt(body.length), 80);
  header.writeUInt32LE(crc32(body), 88);
  header.writeUInt32LE(crc32(header.subarray(0, headerLength - 4)), headerLength - 4);
  return Buffer.concat([Buffer.alloc(headerLength), header, body]);
}

/** Writes it beside data that is not there yet. */
export async function writeFirstState(paths: StorePaths, data: string, total: number): Promise<void> {
  const handle = await open(`${dataPath(paths, data)}.state`, "wx", 0o600);
  try {
    await handle.writeFile(firstState(spelledPath(paths, data), total));
    await handle.sync();
  } finally {
    await handle.close();
  }
}
