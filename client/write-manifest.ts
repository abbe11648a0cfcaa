/** The manifest of what has arrived. */
import { rename, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Io } from "./io.ts";
import { type Listed, manifestText } from "./manifest.ts";
import { UsageError } from "./usage.ts";

/**
 * Writes what arrived to stdout (`-`), or to a file that is there only when it is whole.
 * @throws UsageError when it cannot be written
 */
export async function writeManifest(where: string, arrived: readonly Listed[], io: Io): Promise<void> {
  const sorted = [...arrived].sort((a, b) => (a.path < b.path ? -1 : 1));
  if (where === "-") return io.out(manifestText(sorted));
  const path = resolve(io.folder, where);
  try {
    await writeFile(`${path}.part`, manifestText(sorted));
    await rename(`${path}.part`, path);
  } catch (error) {
    throw new UsageError(`push: --write-manifest: cannot be written, got "${where}" (${(error as NodeJS.ErrnoException).code}); the files have been sent`);
  }
}
