/** Second half of a completion: from records in state `received` to files in their place. Can be run again at any point. */
import { lstat, rename, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { UploadRecord } from "../records/records.ts";
import { Refusal, systemCode } from "../refusal.ts";
import { makeDirectory, syncDirectory } from "./durable.ts";
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

/**
 * Renames the file of a record into its place, durably; a file that is there already stays.
 * @throws {Refusal} `upload_gone` when it is in neither place
 */
export async function moveIntoPlace(paths: StorePaths, record: UploadRecord, directoryMode: number): Promise<void> {
  const source = join(paths.incoming, record.source);
  const target = join(paths.files, record.target);
  const { id, day } = targetDirectories(paths.files, record.target);
  if (await isFileOf(record, source)) {
    await makeDirectory(day, directoryMode);
    await makeDirectory(id, directoryMode);
    await rename(source, target);
  } else if (!(await isFileOf(record, target))) {
    throw new Refusal("upload_gone");
  }
  // Also when another completion made the day's directory and has not synced it yet.
  await syncDirectory(id);
  await syncDirectory(day);
  await syncDirectory(paths.files);
  await ignoring(["ENOENT"], syncDirectory(dirname(source)));
}

/** Removes the file of a record from wherever it is, and the directory of its id. */
export async function removeFile(paths: StorePaths, record: UploadRecord): Promise<void> {
  const source = join(paths.incoming, record.source);
  if (await isFileOf(record, source)) await ignoring(["ENOENT"], unlink(source));
  await ignoring(["ENOENT"], unlink(join(paths.files, record.target)));
  await ignoring(["ENOENT", "ENOTEMPTY", "EEXIST"], rmdir(targetDirectories(paths.files, record.target).id));
}
