/** Whether a file that a completion names may be filed. */
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open, realpath, unlink } from "node:fs/promises";
import { join, normalize } from "node:path";
import { Refusal, systemCode } from "../refusal.ts";
import { setExactMode } from "./durable.ts";
import type { StorePaths } from "./paths.ts";

/** Refuses with the table's sentence for the client, and the particulars, which name paths, for the log. */
function refuse(code: "unsafe_path" | "size_mismatch", particulars: string): never {
  throw new Refusal(code, undefined, { cause: new Error(particulars) });
}

/**
 * Path below incoming/ of an absolute path as nginx writes it.
 * @throws {Refusal} `unsafe_path` when it lies elsewhere or is not in its shortest form
 */
export function sourceOf(paths: StorePaths, path: string): string {
  const prefix = [paths.spelled, paths.root].map((root) => `${join(root, "incoming")}/`).find((start) => path.startsWith(start));
  const source = prefix === undefined ? "" : path.slice(prefix.length);
  if (source === "" || path.includes("\0") || normalize(path) !== path || source.endsWith("/")) {
    refuse("unsafe_path", `${JSON.stringify(path.slice(0, 200))} is not the path of a file in incoming/ of the store`);
  }
  return source;
}

function check(stats: BigIntStats, source: string, size: number): void {
  if (!stats.isFile()) refuse("unsafe_path", `incoming/${source} is not a regular file`);
  if (stats.nlink !== 1n) refuse("unsafe_path", `incoming/${source} has ${stats.nlink} names; a file that is filed has one`);
  if (stats.size !== BigInt(size)) {
    refuse("size_mismatch", `incoming/${source} has ${stats.size} bytes, but ${size} were received`);
  }
}

/** Opens without following a link, without waiting for a pipe's other end. */
async function openPlain(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** What is known of a file once it is on the disk. */
export interface VerifiedSource {
  /** Its last write, nanoseconds since 1970. */
  readonly modified: bigint;
  /** Milliseconds that writing it to the disk took: the one part of a completion that grows with the file. */
  readonly fsyncMs: number;
}

/**
 * Does something with a file in incoming/ that has been checked.
 * @param source path below incoming/, from {@link sourceOf}
 * @param size bytes that were received
 * @throws {Refusal} `upload_gone`, `unsafe_path` or `size_mismatch`
 */
async function withChecked<T>(paths: StorePaths, source: string, size: number, work: (handle: FileHandle, stats: BigIntStats, path: string) => Promise<T>): Promise<T> {
  const path = join(paths.incoming, source);
  try {
    if ((await realpath(path)) !== path) refuse("unsafe_path", `incoming/${source} leads through a symbolic link`);
    check(await lstat(path, { bigint: true }), source, size);
    const handle = await openPlain(path);
    try {
      const stats = await handle.stat({ bigint: true });
      check(stats, source, size);
      return await work(handle, stats, path);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") throw new Refusal("upload_gone", undefined, { cause: error });
    if (code === "ELOOP") refuse("unsafe_path", `incoming/${source} is a symbolic link`);
    throw error;
  }
}

/**
 * Checks a file in incoming/, gives it its exact mode and writes it to the disk.
 * @param source path below incoming/, from {@link sourceOf}
 * @param size bytes that were received
 * @throws {Refusal} `upload_gone`, `unsafe_path` or `size_mismatch`
 */
export async function verifySource(paths: StorePaths, source: string, size: number, fileMode: number): Promise<VerifiedSource> {
  return withChecked(paths, source, size, async (handle, stats) => {
    await setExactMode(Number(stats.mode), (mode) => handle.chmod(mode), fileMode);
    const start = performance.now();
    await handle.sync();
    const fsyncMs = performance.now() - start;
    return { modified: (await handle.stat({ bigint: true })).mtimeNs, fsyncMs };
  });
}

/**
 * Checks a file in incoming/ and removes it; nothing of it needs to reach the disk before.
 * @param source path below incoming/, from {@link sourceOf}
 * @param size bytes that were received
 * @throws {Refusal} `upload_gone`, `unsafe_path` or `size_mismatch`
 */
export async function removeSource(paths: StorePaths, source: string, size: number): Promise<void> {
  await withChecked(paths, source, size, (_handle, _stats, path) => unlink(path));
}
