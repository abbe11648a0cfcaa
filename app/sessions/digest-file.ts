/** Digests of a file that has to be read again: nginx, which computes them on the way, was not there to the end. */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { ChecksumName, Checksums } from "../../protocol/checksum.ts";

const chunkSize = 1024 * 1024;

/** Digests that grow with what is read. */
export class RunningDigests {
  readonly #hashes: ReadonlyMap<ChecksumName, Hash>;
  readonly #counts: boolean;
  #crc = 0;

  constructor(names: readonly ChecksumName[]) {
    this.#hashes = new Map(names.filter((name) => name !== "crc32").map((name) => [name, createHash(name)]));
    this.#counts = names.includes("crc32");
  }

  update(bytes: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(bytes);
    if (this.#counts) this.#crc = crc32(bytes, this.#crc);
  }

  /** Ends them; may be called once. */
  end(): Checksums {
    const crc: Checksums = this.#counts ? { crc32: this.#crc.toString(16).padStart(8, "0") } : {};
    return { ...Object.fromEntries([...this.#hashes].map(([name, hash]) => [name, hash.digest("hex")])), ...crc };
  }
}

/** Reads a file from its beginning to its end. */
export async function eachChunk(file: FileHandle, take: (bytes: Uint8Array) => Promise<void> | void): Promise<void> {
  const buffer = Buffer.allocUnsafe(chunkSize);
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, chunkSize, null);
    if (bytesRead === 0) return;
    await take(buffer.subarray(0, bytesRead));
  }
}

/** Digests of the file at a path. */
export async function digestFile(path: string, names: readonly ChecksumName[]): Promise<Checksums> {
  const digests = new RunningDigests(names);
  const file = await open(path);
  try {
    await eachChunk(file, (bytes) => digests.update(bytes));
  } finally {
    await file.close();
  }
  return digests.end();
}
