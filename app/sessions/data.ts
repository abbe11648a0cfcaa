/** Where the data of sessions lies, and how it goes. */
import { stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../refusal.ts";
import type { StorePaths } from "../store/paths.ts";

/** Folder of all sessions below incoming/. */
export const sessionsFolder = "sessions";

/** Path below incoming/ of the data of a new session. */
export function dataOf(id: string): string {
  return `${sessionsFolder}/${id}`;
}

/** Absolute path of data, for our own reading. */
export function dataPath(paths: StorePaths, data: string): string {
  return join(paths.incoming, data);
}

/** Absolute path of data as nginx spells it. */
export function spelledPath(paths: StorePaths, data: string): string {
  return join(paths.spelled, "incoming", data);
}

async function numberOf(path: string, what: "size" | "mtimeMs"): Promise<number> {
  try {
    return (await stat(path))[what];
  } catch (error) {
    if (systemCode(error) === "ENOENT") return 0;
    throw error;
  }
}

/** Bytes of a file; 0 when there is none. */
export const sizeOf = (path: string): Promise<number> => numberOf(path, "size");

/** When a file was written to last, in milliseconds since 1970; 0 when there is none. */
export const modifiedAt = (path: string): Promise<number> => numberOf(path, "mtimeMs");

/** Removes a file that may be gone already. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

/** Removes data and the module's state beside it; the data first, since a state alone says nothing to anybody. */
export async function removeData(paths: StorePaths, data: string): Promise<void> {
  await removeIfThere(dataPath(paths, data));
  await removeIfThere(`${dataPath(paths, data)}.state`);
}
