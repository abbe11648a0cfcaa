/** Removal of uploads that were never completed. */
import type { Dirent } from "node:fs";
import { lstat, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../log.ts";
import { systemCode } from "../refusal.ts";
import type { StoreParts } from "./complete.ts";
import { reconcileRecords } from "./reconcile.ts";

const leastInterval = 60_000;
/** Longest delay that setTimeout takes: 2^31 - 1 ms. */
const mostInterval = 2 ** 31 - 1;

/** Milliseconds between two rounds: a tenth of the age, at least a minute. */
export function janitorInterval(abandonedAfter: number): number {
  return Math.min(Math.max(leastInterval, (abandonedAfter * 1000) / 10), mostInterval);
}

async function entries(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** Paths below a directory of everything that is not a directory; links are not followed. */
async function* walk(root: string, below = ""): AsyncGenerator<string> {
  for (const entry of await entries(join(root, below))) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(root, path);
    else yield path;
  }
}

const stateEnding = ".state";

/** The data of a state, or the state of data. */
const twinOf = (path: string): string => (path.endsWith(stateEnding) ? path.slice(0, -stateEnding.length) : `${path}${stateEnding}`);

/** When data or its state was last written: one of them may rest for long while bytes come. Milliseconds since 1970. */
async function writtenAt(path: string, own: number): Promise<number> {
  const twin = await lstat(twinOf(path)).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENAMETOOLONG") return null;
    throw error;
  });
  return Math.max(own, twin?.mtimeMs ?? 0);
}

/** Removes one file if nobody wrote to it for long enough. */
async function removeIfOld(parts: StoreParts, source: string, oldest: number): Promise<boolean> {
  const path = join(parts.paths.incoming, source);
  try {
    const stats = await lstat(path);
    if (stats.mtimeMs > oldest || (await writtenAt(path, stats.mtimeMs)) > oldest) return false;
    await unlink(path);
    parts.log.info({ path: source, size: stats.size, untouchedSince: stats.mtime.toISOString() }, "removed an abandoned upload");
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * One round: finishes what was interrupted, then removes files in incoming/ that nobody wrote to for a time and
 * that no record and no running completion owns.
 * @param abandonedAfter seconds
 * @param signal ends the round early
 * @returns how many files were removed
 */
export async function cleanIncoming(parts: StoreParts, abandonedAfter: number, signal?: AbortSignal): Promise<number> {
  await reconcileRecords(parts);
  const arriving = (await parts.records.sessions.open()).flatMap(({ data }) => [data, `${data}.state`]);
  const owned = new Set([...(await parts.records.unsettled()).map((record) => record.source), ...arriving]);
  const oldest = Date.now() - abandonedAfter * 1000;
  let removed = 0;
  for await (const source of walk(parts.paths.incoming)) {
    if (signal?.aborted === true) break;
    if (owned.has(source) || parts.locks.held(source)) continue;
    if (await removeIfOld(parts, source, oldest)) removed += 1;
  }
  return removed;
}

/** Work that repeats until it is stopped. */
export interface Janitor {
  /** Settles when no round runs any more. */
  stop(): Promise<void>;
}

/** Does work at once and then again and again; a round that fails is logged, and the next one comes. */
export function startRounds(log: Log, failed: string, interval: number, work: (signal: AbortSignal) => Promise<unknown>): Janitor {
  let timer: NodeJS.Timeout | undefined;
  const stopping = new AbortController();
  async function round(): Promise<void> {
    try {
      await work(stopping.signal);
    } catch (error) {
      log.error({ err: error }, failed);
    }
    if (!stopping.signal.aborted) timer = setTimeout(next, interval);
  }
  let running = Promise.resolve();
  function next(): void {
    running = round();
  }
  next();
  return {
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
  };
}

/** Cleans incoming/ in rounds. */
export function startJanitor(parts: StoreParts, abandonedAfter: number): Janitor {
  return startRounds(parts.log, "incoming/ could not be cleaned", janitorInterval(abandonedAfter), (signal) => cleanIncoming(parts, abandonedAfter, signal));
}
