/** A folder, with all that lies in it. */
import type { Dirent } from "node:fs";
import { access, constants, lstat, readdir } from "node:fs/promises";
import type { Drawn, Filter, Left, PlannedFile } from "./plan.ts";
import { reason } from "./send/local-file.ts";

/** A folder on the way. */
export interface Folder {
  readonly path: string;
  /** As the user would write it. */
  readonly shown: string;
  /** As it is sent; empty for the folder whose own name is left out. */
  readonly name: string;
  /** Below the folder that the user wrote; empty for that one. */
  readonly below: string;
}

/** Files looked at together: the calls go to threads, of which there are few. */
const AT_ONCE = 64;

const joined = (folder: string, name: string): string => (folder === "" ? name : folder === "/" ? `/${name}` : `${folder}/${name}`);

/** Puts every file below a folder into the plan, in the order of names. Links are not followed, so there are no circles. */
export async function walk(folder: Folder, filter: Filter, drawn: Drawn): Promise<void> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder.path, { withFileTypes: true });
  } catch (error) {
    drawn.unreadable.push({ argument: folder.shown, why: whyNot(folder.shown, error) });
    return;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (let at = 0; at < entries.length; at += AT_ONCE) await lookAtSome(folder, entries.slice(at, at + AT_ONCE), filter, drawn);
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const inner = { path: `${folder.path}/${entry.name}`, shown: joined(folder.shown, entry.name), name: joined(folder.name, entry.name), below: joined(folder.below, entry.name) };
    if (filter.folder(inner.below)) await walk(inner, filter, drawn);
  }
}

async function lookAtSome(folder: Folder, entries: readonly Dirent[], filter: Filter, drawn: Drawn): Promise<void> {
  const wanted = entries.filter((entry) => !entry.isDirectory() && filter.file(joined(folder.below, entry.name)));
  const looked = await Promise.all(wanted.map(async (entry) => lookAt(folder, entry)));
  for (const found of looked) {
    if ("file" in found) drawn.files.push(found.file);
    else if ("skipped" in found) drawn.skipped.push(found.skipped);
    else drawn.unreadable.push(found.unreadable);
  }
}

/** Why something in a folder cannot be read. A name whose bytes are no UTF-8 comes with other characters in their place, under which nothing is found. */
const whyNot = (name: string, error: unknown): string => (name.includes("\uFFFD") ? "has a name that is not UTF-8; rename it" : reason(error as NodeJS.ErrnoException));

/** Which list of the plan an entry belongs to. */
type Found = { readonly file: PlannedFile } | { readonly skipped: Left } | { readonly unreadable: Left };

async function lookAt(folder: Folder, entry: Dirent): Promise<Found> {
  const argument = joined(folder.shown, entry.name);
  const special = kindOf(entry);
  if (special !== undefined) return { skipped: { argument, why: special } };
  const path = `${folder.path}/${entry.name}`;
  try {
    const [{ size }] = await Promise.all([lstat(path), access(path, constants.R_OK)]);
    return { file: { argument, path, name: joined(folder.name, entry.name), size } };
  } catch (error) {
    return { unreadable: { argument, why: whyNot(entry.name, error) } };
  }
}

/** What an entry is when it is no file. */
function kindOf(entry: Dirent): string | undefined {
  if (entry.isFile()) return undefined;
  if (entry.isSymbolicLink()) return "is a symbolic link, which is not followed";
  if (entry.isFIFO()) return "is a pipe";
  if (entry.isSocket()) return "is a socket";
  return "is a device, or nothing that can be sent";
}
