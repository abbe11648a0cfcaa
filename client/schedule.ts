/** How many files and connections at once. */
import type { PlannedFile } from "./plan.ts";

/** Connections in all, where the choice is ours: more gain little on a fast line and trouble a slow one. */
const CONNECTIONS = 8;

/** Below this the time of a file is mostly that of its requests. */
const SMALL_BYTES = 16 * 1024 * 1024;

/** Least bytes that are worth a connection of their own. */
const SEGMENT_BYTES = 64 * 1024 * 1024;

/** Streams for one file, where the choice is ours. */
const MOST_STREAMS = 4;

export interface Schedule {
  /** Files at the same time. */
  readonly parallel: number;
  /** Connections for one file. */
  readonly streamsFor: (file: Pick<PlannedFile, "size">) => number;
}

/** Many small files: many at once. A few large ones: two at once, each in several segments. */
export function scheduleOf(files: readonly Pick<PlannedFile, "size">[], asked: { readonly streams: number | "auto"; readonly parallel: number | "auto" }): Schedule {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const isSmall = total / Math.max(1, files.length) < SMALL_BYTES;
  const parallel = asked.parallel === "auto" ? Math.max(1, Math.min(files.length, isSmall ? CONNECTIONS : 2)) : asked.parallel;
  const most = Math.max(1, Math.min(MOST_STREAMS, Math.floor(CONNECTIONS / parallel)));
  return {
    parallel,
    streamsFor: ({ size }) => (asked.streams === "auto" ? Math.max(1, Math.min(most, Math.floor(size / SEGMENT_BYTES))) : asked.streams),
  };
}

/** Works on all items, so many at a time, in their order; begins none when the signal has come. */
export async function eachOf<T>(items: readonly T[], parallel: number, signal: AbortSignal, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && !signal.aborted) await work(items[next++] as T);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
}
