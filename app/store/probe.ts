/** Whether the store can do what a completion needs. */
import { open, rename, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory } from "./durable.ts";
import type { StorePaths } from "./paths.ts";

/** Name of the file that tries the store. */
export const probeName = ".slipway-probe";

/**
 * Makes incoming/ and files/ where they are missing, and renames a file from one into the other.
 * @throws the file system's error; `EXDEV` when they are not on one mount
 */
export async function prepareStore(paths: StorePaths, directoryMode: number): Promise<void> {
  await makeDirectory(paths.incoming, directoryMode);
  await makeDirectory(paths.files, directoryMode);
  const from = join(paths.incoming, probeName);
  const to = join(paths.files, probeName);
  await writeFile(from, "");
  try {
    await rename(from, to);
    await unlink(to);
  } catch (error) {
    await unlink(from).catch(() => undefined);
    throw error;
  }
}

/**
 * Writes to incoming/ and looks at files/.
 * @throws the file system's error
 */
export async function probeStore(paths: StorePaths): Promise<void> {
  await stat(paths.files);
  const path = join(paths.incoming, probeName);
  const handle = await open(path, "w", 0o600);
  try {
    await handle.write("ok");
  } finally {
    await handle.close();
  }
  await unlink(path);
}
