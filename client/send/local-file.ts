/** The local file: what tells whether it is still the same, and its bytes. */
import { createReadStream, type Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { failure } from "./answer.ts";
import { READ_SIZE } from "./http.ts";
import { SendError, type Source } from "./source.ts";

/** What tells whether a local file is still the one that was begun. */
export interface Identity {
  /** Bytes. */
  readonly size: number;
  /** Milliseconds. */
  readonly mtime: number;
  readonly device: number;
  readonly inode: number;
}

const isNumber = (value: unknown): value is number => typeof value === "number";

/** An identity that was written down as JSON; `undefined` when it is none. */
export function parseIdentity(value: unknown): Identity | undefined {
  const { size, mtime, device, inode } = (value ?? {}) as Partial<Identity>;
  return isNumber(size) && isNumber(mtime) && isNumber(device) && isNumber(inode) ? { size, mtime, device, inode } : undefined;
}

export const isSame = (a: Identity, b: Identity): boolean => a.size === b.size && a.mtime === b.mtime && a.device === b.device && a.inode === b.inode;

/** Whether two times of files are one, where a tool that put a file back may have left out the parts of a second or of its thousandth. */
function isSameTime(a: number, b: number): boolean {
  const isInSeconds = a % 1000 === 0 || b % 1000 === 0;
  return Math.floor(a) === Math.floor(b) || (isInSeconds && Math.floor(a / 1000) === Math.floor(b / 1000));
}

/** Whether a path has the file that it had in an earlier run, by what outlasts a reboot and a restore: not the numbers of device and inode. */
export const isAsBefore = (before: Identity, now: Identity): boolean => before.size === now.size && isSameTime(before.mtime, now.mtime);

/** Why a path cannot be read, for a person; whoever shows it names the path. */
export function reason(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return "does not exist";
  if (error.code === "EACCES") return "may not be read by this user";
  return `cannot be read (${error.code ?? error.message})`;
}

/** What became of a file that could not be read. */
export const unreadable = (error: unknown): SendError =>
  new SendError(failure("local", "unreadable", null, reason(error as NodeJS.ErrnoException), "check the file, then send it again"));

/** What became of a file that was written to. */
export const changed = (): SendError =>
  new SendError(failure("changed", "changed", null, "changed while it was sent", "send the file again when nothing writes to it"));

export const identityOf = ({ size, mtimeMs, dev, ino }: Stats): Identity => ({ size, mtime: mtimeMs, device: dev, inode: ino });

/** The identity of a file now. @throws {SendError} when it cannot be looked at */
export async function identify({ path }: Source): Promise<Identity> {
  try {
    return identityOf(await stat(path));
  } catch (error) {
    throw unreadable(error);
  }
}

/** @throws {SendError} of kind `changed` when the file is another than before */
export async function mustBe(source: Source, before: Identity): Promise<void> {
  if (!isSame(await identify(source), before)) throw changed();
}

/**
 * The bytes of a file from `start` to before `end`.
 * @throws {SendError} when they cannot be read, or the file ends before
 */
export async function* bytesOf({ path }: Source, start: number, end: number): AsyncGenerator<Buffer> {
  if (start >= end) return;
  let at = start;
  const stream = createReadStream(path, { start, end: end - 1, highWaterMark: READ_SIZE });
  const chunks = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => Promise.reject(unreadable(error)));
      if (next.done === true) break;
      at += next.value.length;
      yield next.value;
    }
  } finally {
    stream.destroy();
  }
  if (at !== end) throw changed();
}
