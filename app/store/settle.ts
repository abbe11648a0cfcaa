/** Second half of a completion: from records in state `received` to files in their place. Can be run again at any point. */
import { lstat, rename, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { UploadRecord } from "../records/records.ts";
import { Refusal, systemCode } from "../refusal.ts";
import { makeDirectory, syncDirectory, syncShared } from "./durable.ts";
import { type StorePaths, targetDirectories } from "./paths.ts";

/** Whether the very file of a record lies at a path: nginx gives the names in incoming/ again to later uploads. */
async function isFileOf(record: UploadRecord, path: string): Promise<boolean> {
  try {
    const stats = await lstat(path, { bigint: true });
    return stats.isFile() && stats.size === BigInt(record.size) && stats.mtimeNs === record.modified;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}

async function ignoring(codes: readonly string[], work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!codes.includes(systemCode(error) ?? "")) throw error;
  }
}

/** Directories of days that have their mode and are on the disk: nearly every file goes into one of these. */
const settledDays = new Set<string>();

/** Makes the directory of an id, and that of its day where need be. */
async function makeTarget({ id, day }: { readonly id: string; readonly day: string }, mode: number): Promise<void> {
  if (settledDays.has(day)) {
    try {
      return await makeDirectory(id, mode);
    } catch (error) {
      // An empty day that is over was removed.
      if (systemCode(error) !== "ENOENT") throw error;
      settledDays.delete(day);
    }
  }
  await makeDirectory(day, mode);
  await makeDirectory(id, mode);
}

/**
 * Renames the file of a record into its place, durably; a file that is there already stays.
 * @throws {Refusal} `upload_gone` when it is in neither place
 */
export async function moveIntoPlace(paths: StorePaths, record: UploadRecord, directoryMode: number): Promise<void> {
  const source = join(paths.incoming, record.source);
  const target = join(paths.files, record.target);
  const { id, day } = targetDirectories(paths.files, record.target);
  if (await isFileOf(record, source)) {
    await makeTarget({ id, day }, directoryMode);
    await rename(source, target);
  } else if (!(await isFileOf(record, target))) {
    throw new Refusal("upload_gone");
  }
  const isDaySettled = settledDays.has(day);
  await Promise.all([
    syncDirectory(id),
    syncShared(day),
    // Also when another completion made the day's directory and has not synced it yet.
    ...(isDaySettled ? [] : [syncShared(paths.files)]),
    ignoring(["ENOENT"], syncShared(dirname(source))),
  ]);
  settledDays.add(day);
}

/** Removes the file of a record from wherever it is, and the directory of its id. */
export async function removeFile(paths: StorePaths, record: UploadRecord): Promise<void> {
  const source = join(paths.incoming, record.source);
  if (await isFileOf(record, source)) await ignoring(["ENOENT"], unlink(source));
  await ignoring(["ENOENT"], unlink(join(paths.files, record.target)));
  await ignoring(["ENOENT", "ENOTEMPTY", "EEXIST"], rmdir(targetDirectories(paths.files, record.target).id));
}
