/** How many files and connections at once. */
import type { PlannedFile } from "./plan.ts";
import { maySendTogether, TOGETHER } from "./send/site.ts";

/** Small files at once, where the choice is ours: with each the site waits for its disk, and the others go on. */
const SMALL_AT_ONCE = 16;

/** Large files at once: both ends read and write in long runs. */
const LARGE_AT_ONCE = 2;

/** Below this the time of a file is mostly that of its requests. */
const SMALL_BYTES = 16 * 1024 * 1024;

/** Least bytes that are worth a connection of their own. */
const SEGMENT_BYTES = 64 * 1024 * 1024;

/** Streams for one file, where the choice is ours; of all files at once twice as many. */
const MOST_STREAMS = 4;
const MOST_CONNECTIONS = MOST_STREAMS * LARGE_AT_ONCE;

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
  const parallel = asked.parallel === "auto" ? Math.max(1, Math.min(files.length, isSmall ? SMALL_AT_ONCE : LARGE_AT_ONCE)) : asked.parallel;
  const most = Math.max(1, Math.min(MOST_STREAMS, Math.floor(MOST_CONNECTIONS / parallel)));
  return {
    parallel,
    streamsFor: ({ size }) => (asked.streams === "auto" ? Math.max(1, Math.min(most, Math.floor(size / SEGMENT_BYTES))) : asked.streams),
  };
}

/**
 * Files that go in one request each time: neighbours that may, as long as there are enough for all who work at the same
 * time. Others are by themselves; the order stays.
 * @param most files of one request
 */
export function groupsOf(files: readonly PlannedFile[], { most, parallel }: { readonly most: number; readonly parallel: number }): readonly (readonly PlannedFile[])[] {
  const fair = Math.min(most, Math.ceil(files.length / parallel));
  const groups: PlannedFile[][] = [];
  let open: PlannedFile[] | undefined;
  let bytes = 0;
  for (const file of files) {
    if (!maySendTogether(file)) {
      groups.push([file]);
    } else if (open !== undefined && open.length < fair && bytes + file.size <= TOGETHER) {
      open.push(file);
      bytes += file.size;
    } else {
      groups.push((open = [file]));
      bytes = file.size;
    }
  }
  return groups;
}

/** Works on all items, so many at a time, in their order; begins none when the signal has come. */
export async function eachOf<T>(items: readonly T[], parallel: number, signal: AbortSignal, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && !signal.aborted) await work(items[next++] as T);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
}
