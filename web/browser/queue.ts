/**
 * The queue of uploads as a state machine: pure, so that every order of events can be tested. An event that does
 * not fit an item's state is ignored, because the network may still report on an upload that was just cancelled.
 *
 *     ready -> queued -> sending -> finishing -> done
 *       |        |        |   ^         |
 *       |        |      paused (resume: queued)
 *       |        +--> cancelled <-------+---> failed      (both go back to queued by a retry)
 *       +-> removed
 */

/** How many uploads run at the same time: they hide the waits of each other, more would only share the line. */
export const AT_ONCE_MAX = 3;

/** What went wrong, in sentences for people. */
export interface Problem {
  readonly message: string;
  readonly hint: string;
  /** The server's own, more exact sentence, in English. @default none */
  readonly detail?: string;
  /** Id of the request in the server's logs. @default none: no answer came */
  readonly requestId?: string;
}

/** What the server said of a finished upload. */
export interface UploadResult {
  readonly id: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly checksums: Readonly<Record<string, string>>;
  /** Whether the browser computed the same SHA-256 from its own file. @default not compared */
  readonly verified?: boolean;
}

export type ItemState =
  | { readonly kind: "ready" }
  | { readonly kind: "queued" }
  | { readonly kind: "sending"; /** Bytes of the file. */ readonly loaded: number }
  | { readonly kind: "paused"; /** Bytes of the file. */ readonly loaded: number }
  | { readonly kind: "finishing" }
  | { readonly kind: "done"; readonly result: UploadResult }
  | { readonly kind: "failed"; readonly problem: Problem; /** Whether sending the same again may help. */ readonly canRetry: boolean }
  | { readonly kind: "cancelled" };

/** One file. */
export interface Item {
  readonly key: number;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Folder that it was found in, as in `photos/2026`; empty for a file chosen by itself. */
  readonly folder: string;
  readonly description: string;
  /** Bytes that had arrived when it was paused or failed; what it starts from is the server's to say. */
  readonly sent: number;
  readonly state: ItemState;
}

export interface Queue {
  readonly items: readonly Item[];
  readonly nextKey: number;
}

/** A file to add; with a problem it is shown as failed and never sent. */
export interface NewFile {
  readonly name: string;
  readonly size: number;
  /** @default none */
  readonly folder?: string;
  readonly problem?: Problem;
}

export type QueueEvent =
  | { readonly kind: "add"; readonly files: readonly NewFile[] }
  | { readonly kind: "submit"; readonly description: string }
  | { readonly kind: "start"; readonly key: number }
  | { readonly kind: "progress"; readonly key: number; readonly loaded: number }
  | { readonly kind: "sent"; readonly key: number }
  | { readonly kind: "done"; readonly key: number; readonly result: UploadResult }
  | { readonly kind: "fail"; readonly key: number; readonly problem: Problem }
  | { readonly kind: "pause"; readonly key: number }
  | { readonly kind: "resume"; readonly key: number }
  | { readonly kind: "cancel"; readonly key: number }
  | { readonly kind: "retry"; readonly key: number }
  | { readonly kind: "remove"; readonly key: number };

export const EMPTY_QUEUE: Queue = { items: [], nextKey: 1 };

type ItemEvent = Exclude<QueueEvent, { readonly kind: "add" | "submit" | "remove" }>;

function isRunning(state: ItemState): boolean {
  return state.kind === "sending" || state.kind === "finishing";
}

function nextState(item: Item, event: ItemEvent): ItemState {
  const { state } = item;
  switch (event.kind) {
    case "start":
      return state.kind === "queued" ? { kind: "sending", loaded: item.sent } : state;
    case "progress":
      return state.kind === "sending" ? { kind: "sending", loaded: Math.min(item.size, Math.max(0, event.loaded)) } : state;
    case "sent":
      return state.kind === "sending" ? { kind: "finishing" } : state;
    case "done":
      return isRunning(state) ? { kind: "done", result: event.result } : state;
    case "fail":
      return isRunning(state) ? { kind: "failed", problem: event.problem, canRetry: true } : state;
    case "pause":
      return state.kind === "sending" ? { kind: "paused", loaded: state.loaded } : state;
    case "resume":
      return state.kind === "paused" ? { kind: "queued" } : state;
    case "cancel":
      return isRunning(state) || state.kind === "queued" || state.kind === "paused" ? { kind: "cancelled" } : state;
    case "retry":
      return state.kind === "cancelled" || (state.kind === "failed" && state.canRetry) ? { kind: "queued" } : state;
  }
}

/** Whether an item is still to be sent, or is being sent. */
export function isActive(state: ItemState | undefined): boolean {
  return state !== undefined && (isRunning(state) || state.kind === "ready" || state.kind === "queued" || state.kind === "paused");
}

function isRemovable(state: ItemState): boolean {
  return state.kind === "ready" || state.kind === "failed" || state.kind === "cancelled";
}

function added(queue: Queue, files: readonly NewFile[]): Queue {
  const items = files.map((file, index): Item => ({
    key: queue.nextKey + index,
    name: file.name,
    size: file.size,
    folder: file.folder ?? "",
    description: "",
    sent: 0,
    state: file.problem === undefined ? { kind: "ready" } : { kind: "failed", problem: file.problem, canRetry: false },
  }));
  return { items: [...queue.items, ...items], nextKey: queue.nextKey + items.length };
}

/** Place of an item; keys only grow. -1 when it is gone. */
function indexOf(items: readonly Item[], key: number): number {
  let [from, to] = [0, items.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((items[middle]?.key ?? key) < key) from = middle + 1;
    else to = middle;
  }
  return items[from]?.key === key ? from : -1;
}

/** The item with a key, found in a few steps among ten thousand. */
export function findItem(queue: Queue, key: number): Item | undefined {
  return queue.items[indexOf(queue.items, key)];
}

function changed(queue: Queue, event: ItemEvent): Queue {
  const index = indexOf(queue.items, event.key);
  const item = queue.items[index];
  if (item === undefined) return queue;
  const state = nextState(item, event);
  if (state === item.state) return queue;
  const items = queue.items.slice();
  items[index] = { ...item, state, sent: state.kind === "paused" ? state.loaded : state.kind === "cancelled" ? 0 : item.sent };
  return { ...queue, items };
}

/** The queue after an event; the very same object when nothing changed. */
export function step(queue: Queue, event: QueueEvent): Queue {
  if (event.kind === "add") return event.files.length === 0 ? queue : added(queue, event.files);
  if (event.kind === "submit") {
    if (!queue.items.some(({ state }) => state.kind === "ready")) return queue;
    const items = queue.items.map((item): Item => (item.state.kind === "ready" ? { ...item, description: event.description, state: { kind: "queued" } } : item));
    return { ...queue, items };
  }
  if (event.kind !== "remove") return changed(queue, event);
  const item = findItem(queue, event.key);
  return item !== undefined && isRemovable(item.state) ? { ...queue, items: queue.items.filter((other) => other !== item) } : queue;
}

/** Keys of the items to start now, oldest first. */
export function startable(queue: Queue): readonly number[] {
  const running = queue.items.filter((item) => isRunning(item.state)).length;
  const keys: number[] = [];
  for (const { key, state } of queue.items) {
    if (keys.length >= AT_ONCE_MAX - running) break;
    if (state.kind === "queued") keys.push(key);
  }
  return keys;
}

/** What is to be said of the whole queue. */
export interface QueueSummary {
  readonly total: number;
  readonly ready: number;
  /** Queued, sending, paused or finishing: leaving the page would lose them. */
  readonly underWay: number;
  readonly failed: number;
  /** Ids of the finished uploads, in the order of the queue. */
  readonly doneIds: readonly string[];
}

export function summarise(queue: Queue): QueueSummary {
  const counts = { ready: 0, queued: 0, sending: 0, paused: 0, finishing: 0, done: 0, failed: 0, cancelled: 0 };
  const doneIds: string[] = [];
  for (const { state } of queue.items) {
    counts[state.kind] += 1;
    if (state.kind === "done") doneIds.push(state.result.id);
  }
  return {
    total: queue.items.length,
    ready: counts.ready,
    underWay: counts.queued + counts.sending + counts.paused + counts.finishing,
    failed: counts.failed,
    doneIds,
  };
}
