/** Files that are in the queue already. */
import type { Found } from "./drop.ts";
import type { Item } from "./queue.ts";
import { fingerprintOf } from "./send-tus.ts";

/** What of the chosen files is new; `already` counts the others. */
export interface NewFiles {
  readonly files: readonly Found[];
  readonly already: number;
}

/** An item in these states takes no second one of the same file: two uploads of one file would share their bytes. */
const ACTIVE: ReadonlySet<Item["state"]["kind"]> = new Set(["ready", "queued", "sending", "paused", "finishing"]);

/** @param fileOf The file of an item; null where it has none. */
export function newFilesOf(chosen: readonly Found[], items: readonly Item[], fileOf: (key: number) => Found | null): NewFiles {
  const present = new Set<string>();
  for (const { key, state } of items) {
    const found = ACTIVE.has(state.kind) ? fileOf(key) : null;
    if (found !== null) present.add(fingerprintOf(found.file, found.folder));
  }
  const files = chosen.filter(({ file, folder }) => {
    const fingerprint = fingerprintOf(file, folder);
    if (present.has(fingerprint)) return false;
    present.add(fingerprint);
    return true;
  });
  return { files, already: chosen.length - files.length };
}
