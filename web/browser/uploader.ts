/** Ties the queue to the network and to the page: every event goes through `apply`, everything shown comes from it. */
import { displayName } from "../format.ts";
import { HOME, ITEM, LIVE, PROBLEM } from "../strings.ts";
import { announce, byId, setText } from "./dom.ts";
import type { Dropped } from "./drop.ts";
import { problemBeforeSending } from "./outcome.ts";
import { EMPTY_QUEUE, startable, step, summarise, type Item, type NewFile, type QueueEvent } from "./queue.ts";
import { addSample, rateAt, type Sample } from "./rate.ts";
import { Row, type RowAction } from "./row.ts";
import { send, type Sending } from "./send.ts";

/** How often speed and time left are shown anew, ms. */
const TICK_MS = 500;

/** What an item has beside its state; kept only as long as the item. */
interface Work {
  readonly file: File | null;
  readonly row: Row;
  samples: readonly Sample[];
  sending: Sending | null;
}

export interface UploaderOptions {
  /** Address of the POST. */
  readonly path: string;
  /** Bytes; 0 is no limit. */
  readonly maxFileSize: number;
}

/** The uploads of this page. */
export class Uploader {
  private queue = EMPTY_QUEUE;
  private readonly works = new Map<number, Work>();
  private readonly options: UploaderOptions;
  private readonly section = byId("queue", HTMLElement);
  private readonly list = byId("items", HTMLElement);
  private readonly summary = byId("queue-summary", HTMLElement);
  private readonly listLink = byId("queue-link", HTMLAnchorElement);
  private readonly submitButton = byId("submit", HTMLButtonElement);

  constructor(options: UploaderOptions) {
    this.options = options;
    setInterval(() => this.showRunning(), TICK_MS);
    window.addEventListener("beforeunload", (event) => {
      if (summarise(this.queue).underWay > 0) event.preventDefault();
    });
    this.showSummary();
  }

  /** Adds files to the list; they are sent when {@link submit} is called. */
  add({ files, folders }: Dropped): void {
    const accepted = files.map((file): NewFile => {
      const problem = problemBeforeSending(file.size, this.options.maxFileSize);
      return problem === undefined ? { name: file.name, size: file.size } : { name: file.name, size: file.size, problem };
    });
    const refused = folders.map((name): NewFile => ({ name, size: 0, problem: PROBLEM.folder(displayName(name)) }));
    const firstKey = this.queue.nextKey;
    this.queue = step(this.queue, { kind: "add", files: [...accepted, ...refused] });
    const items = this.queue.items.filter((item) => item.key >= firstKey);
    items.forEach((item, index) => {
      const row = new Row(item, (action) => this.act(item.key, action));
      this.works.set(item.key, { file: files[index] ?? null, row, samples: [], sending: null });
      this.list.append(row.element);
      row.show(item, null);
    });
    const failed = items.flatMap(({ name, state }) => (state.kind === "failed" ? [LIVE.failed(name, state.problem.message)] : []));
    const count = items.length - failed.length;
    if (count > 0) announce(LIVE.added(count));
    for (const sentence of failed) announce(sentence);
    this.showSummary();
  }

  /** Starts what has been added. */
  submit(description: string): void {
    this.apply({ kind: "submit", description });
  }

  private act(key: number, action: RowAction): void {
    const item = this.queue.items.find((one) => one.key === key);
    if (item === undefined) return;
    if (action === "cancel") {
      this.works.get(key)?.sending?.abort();
      announce(LIVE.cancelled(displayName(item.name)));
    }
    if (action === "remove") announce(LIVE.removed(displayName(item.name)));
    this.apply({ kind: action, key });
  }

  private apply(event: QueueEvent): void {
    const before = this.queue;
    this.queue = step(before, event);
    if (this.queue === before) return;
    for (const key of startable(this.queue)) this.start(key);
    const previous = new Map(before.items.map((item) => [item.key, item]));
    for (const item of this.queue.items) {
      if (previous.get(item.key) !== item) this.showItem(item);
      previous.delete(item.key);
    }
    for (const key of previous.keys()) this.discard(key);
    this.showSummary();
  }

  private start(key: number): void {
    const work = this.works.get(key);
    const item = this.queue.items.find((one) => one.key === key);
    if (work === undefined || work.file === null || item === undefined) return;
    this.queue = step(this.queue, { kind: "start", key });
    work.samples = [{ atMs: performance.now(), loaded: 0 }];
    work.sending = send(work.file, {
      path: this.options.path,
      description: item.description,
      onProgress: (loaded) => {
        work.samples = addSample(work.samples, { atMs: performance.now(), loaded });
        this.apply({ kind: "progress", key, loaded });
      },
      onSent: () => this.apply({ kind: "sent", key }),
      onOutcome: (outcome) => {
        work.sending = null;
        const name = displayName(item.name);
        announce(outcome.kind === "done" ? LIVE.done(name) : LIVE.failed(name, outcome.problem.message));
        this.apply({ ...outcome, key });
      },
    });
    announce(LIVE.started(displayName(item.name)));
  }

  /** Takes a removed item's line off the page; focus goes to the next line, or to the form. */
  private discard(key: number): void {
    const element = this.works.get(key)?.row.element;
    const hadFocus = element?.contains(document.activeElement) ?? false;
    const neighbour = element?.nextElementSibling ?? element?.previousElementSibling;
    element?.remove();
    this.works.delete(key);
    if (!hadFocus) return;
    (neighbour instanceof HTMLElement ? neighbour : byId("file", HTMLElement)).focus();
  }

  private showItem(item: Item): void {
    const work = this.works.get(item.key);
    work?.row.show(item, rateAt(work.samples, performance.now(), item.size));
  }

  private showRunning(): void {
    for (const item of this.queue.items) if (item.state.kind === "sending") this.showItem(item);
  }

  private showSummary(): void {
    const { total, ready, failed, doneIds } = summarise(this.queue);
    const done = doneIds.length;
    this.section.hidden = total === 0;
    this.submitButton.disabled = ready === 0;
    setText(this.submitButton, ready === 0 ? HOME.submit : HOME.submitCount(ready));
    const parts = total === ready ? [] : [ITEM.overall(done, total), ...(failed > 0 ? [ITEM.overallFailed(failed)] : [])];
    setText(this.summary, parts.join(" · "));
    this.listLink.hidden = done === 0;
    this.listLink.href = `/list?new=${doneIds.map(encodeURIComponent).join(",")}`;
  }
}
