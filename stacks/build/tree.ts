import { readdirSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import type { ContextFile } from "./fingerprint.ts";

/**
 * Every regular file below `folder`, at the same place below `prefix` of a build context. Modes are
 * reduced to what decides something, 0755 or 0644, so that the umask of a checkout does not
 * change an image.
 *
 * @param skip names of files and folders that are left out, at every depth
 */
export function filesBelow(folder: string, prefix: string, skip: ReadonlySet<string> = new Set()): ContextFile[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !skip.has(entry.name))
    .flatMap((entry): ContextFile[] => {
      const source = join(folder, entry.name);
      const path = posix.join(prefix, entry.name);
      if (entry.isDirectory()) return filesBelow(source, path, skip);
      return entry.isFile() ? [hostFile(source, path)] : [];
    });
}

/** One file of the host at a place of a build context. */
export function hostFile(source: string, path: string): ContextFile {
  return { path, mode: (statSync(source).mode & 0o100) === 0 ? 0o644 : 0o755, content: source };
}

/** A text that was made, not found, at a place of a build context. */
export function textFile(path: string, text: string | Uint8Array): ContextFile {
  return { path, mode: 0o644, content: typeof text === "string" ? Buffer.from(text) : text };
}
