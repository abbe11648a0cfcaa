/** What lies below a folder. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface TreeFile {
  /** Below the folder. */
  readonly path: string;
  readonly text: string;
}

/** Every file below a folder, in the order of the paths. */
export function readTree(folder: string): TreeFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path: path.slice(folder.length + 1), text: readFileSync(path, "utf8") }));
}
