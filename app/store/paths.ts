/** Where things lie in the store (docs/internals/contracts.md, section 2). */
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";

export interface StorePaths {
  /** The store's root with its own symbolic links followed. */
  readonly root: string;
  /** Root as nginx spells it. */
  readonly spelled: string;
  readonly incoming: string;
  readonly files: string;
}

/** Paths of a store whose root exists. */
export function storePaths(root: string): StorePaths {
  const real = realpathSync(root);
  return { root: real, spelled: root, incoming: join(real, "incoming"), files: join(real, "files") };
}

/** Where an upload goes, below files/. */
export function targetPath(receivedAt: Date, id: string, name: string): string {
  return `${receivedAt.toISOString().slice(0, 10)}/${id}/${name}`;
}

/** Directory of an id, and directory of its day, of a path made by {@link targetPath}. */
export function targetDirectories(files: string, target: string): { readonly id: string; readonly day: string } {
  const id = dirname(join(files, target));
  return { id, day: dirname(id) };
}
