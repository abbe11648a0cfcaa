/** Repair after a kill: every upload becomes complete and recorded, or absent. */
import { readdir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { firstIdOf, isId } from "../../protocol/id.ts";
import type { Log } from "../log.ts";
import type { Records, UploadRecord } from "../records/records.ts";
import { Refusal, systemCode } from "../refusal.ts";
import { settle, type StoreParts } from "./complete.ts";
import type { StorePaths } from "./paths.ts";
import { probeName } from "./probe.ts";

function byRequest(records: readonly UploadRecord[]): ReadonlyMap<string, readonly UploadRecord[]> {
  const groups = new Map<string, UploadRecord[]>();
  for (const record of records) {
    const group = groups.get(record.requestId);
    if (group === undefined) groups.set(record.requestId, [record]);
    else group.push(record);
  }
  return groups;
}

/** Finishes, or forgets, every form that was interrupted; forms that are being completed right now are left to themselves. */
export async function reconcileRecords(parts: StoreParts): Promise<void> {
  for (const [requestId, group] of byRequest(await parts.records.unsettled())) {
    const sources = group.map((record) => record.source);
    if (sources.some((source) => parts.locks.held(source))) continue;
    const ids = group.map((record) => record.id);
    try {
      // Read again under the lock: a running completion may have settled or forgotten them since.
      await parts.locks.run(sources, async () => settle(parts, await parts.records.ofRequest(requestId)));
      parts.log.warn({ ids }, "finished an interrupted completion");
    } catch (error) {
      const gone = error instanceof Refusal && error.code === "upload_gone";
      if (gone) parts.log.warn({ ids }, "forgot an interrupted completion whose files are gone; its client was told of no success");
      else parts.log.error({ err: error, ids }, "an interrupted completion could not be finished");
    }
  }
}

async function list(path: string): Promise<string[]> {
  return (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Removes a directory that is empty; says whether it did. */
async function removeIfEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST", "ENOENT"].includes(systemCode(error) ?? "")) return false;
    throw error;
  }
}

/** What a sweep of files/ works with. */
interface SweepParts {
  readonly paths: StorePaths;
  readonly records: Records;
  readonly log: Log;
}

/**
 * Walks files/: removes the empty directories that an interrupted completion left, and reports files that no
 * record knows, which it leaves alone. Directories of ids made at or after a time are not looked at: completions
 * may be working in them.
 * @param before milliseconds since 1970
 * @param signal ends the walk early
 */
export async function sweepFiles(parts: SweepParts, before: number, signal: AbortSignal): Promise<void> {
  const first = firstIdOf(before);
  const today = new Date(before).toISOString().slice(0, 10);
  await unlink(join(parts.paths.files, probeName)).catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
  });
  for (const day of await list(parts.paths.files)) {
    const dayPath = join(parts.paths.files, day);
    for (const id of await list(dayPath)) {
      if (signal.aborted) return;
      if (!isId(id)) {
        parts.log.error({ path: join(dayPath, id) }, "a directory in files/ does not have an id for its name; left alone");
        continue;
      }
      if (id >= first || (await parts.records.find(id)) !== null || (await removeIfEmpty(join(dayPath, id)))) continue;
      parts.log.error({ path: join(dayPath, id) }, "files without a record; left alone");
    }
    if (day < today) await removeIfEmpty(dayPath);
  }
}
