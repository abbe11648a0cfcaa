/** Digests of a file that has to be read again: nginx, which computes them on the way, was not there to the end. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { ChecksumName, Checksums } from "../../protocol/checksum.ts";
import { Refusal } from "../refusal.ts";

const chunkSize = 1024 * 1024;

/** Reads a file from its beginning to its end. */
async function eachChunk(path: string, take: (bytes: Uint8Array) => void, signal: AbortSignal | undefined): Promise<void> {
  const file = await open(path);
  try {
    const buffer = Buffer.allocUnsafe(chunkSize);
    for (;;) {
      signal?.throwIfAborted();
      // Its space is free only when nobody reads it any more.
      if ((await file.stat()).nlink === 0) throw new Refusal("not_found", "The upload was cancelled.");
      const { bytesRead } = await file.read(buffer, 0, chunkSize, null);
      if (bytesRead === 0) return;
      take(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/**
 * Digests of the file at a path, which is not read when none are asked for.
 * @param signal ends the reading early; its reason is thrown then
 * @throws {Refusal} `not_found` when the file is removed meanwhile
 */
export async function digestFile(path: string, names: readonly ChecksumName[], signal?: AbortSignal): Promise<Checksums> {
  if (names.length === 0) return {};
  const hashes = names.filter((name) => name !== "crc32").map((name) => [name, createHash(name)] as const);
  const counts = names.includes("crc32");
  let crc = 0;
  await eachChunk(path, (bytes) => {
    for (const [, hash] of hashes) hash.update(bytes);
    if (counts) crc = crc32(bytes, crc);
  }, signal);
  const counted: Checksums = counts ? { crc32: crc.toString(16).padStart(8, "0") } : {};
  return { ...Object.fromEntries(hashes.map(([name, hash]) => [name, hash.digest("hex")])), ...counted };
}
