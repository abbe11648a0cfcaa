/** Ties the queue to the network and to the page: every event goes through `apply`, everything shown comes from it. */
import { displayName } from "../format.ts";
import { FORMAT, HOME, ITEM, LIVE, PROBLEM } from "./words.ts";
import { announce, byId, setText } from "./dom.ts";
import type { Dropped, Found } from "./drop.ts";
import { Hasher } from "./hash.ts";
import { holdFile } from "./hold-file.ts";
import { compared, newFileOf, type Outcome } from "./outcome.ts";
import { EMPTY_QUEUE, findItem, isActive, startable, step, summarise, type Item, type NewFile, type QueueEvent } from "./queue.ts";
import { addSample, rateAt, type Sample } from "./rate.ts";
import { Row, type RowAction } from "./row.ts";
import type { Sending, SendOptions } from "./send.ts";
import { newKey, sendForm } from "./send-form.ts";
import { discardFile, fingerprintOf, sendTus } from "./send-tus.ts";
import { inSlices } from "./slices.ts";

/** How often speed and time left are shown anew, ms. */
const TICK_MS = 500;

/** Smaller files go in one request: sending them again costs less than asking how far they came. Bytes. */
const RESUMABLE_FROM = 1024 * 1024;

/** Lines made or changed in one frame, so that the page answers while thousands are added. */
const LINES_A_FRAME = 100;

/** Ids of finished files that the list is asked to point out: an address has a length. */
const POINTED_OUT_MAX = 50;

/** With more files than this, only failures and the end are read aloud. */
const SPOKEN_FILES_MAX = 20;

/** What an item has beside its state; kept only as long as the item. */
interface Work {
  readonly found: Found | null;
  /** Made some frames after the item. */
  row: Row | null;
  /** What the browser computes from its own file; started with the first try. */
  hash: ReturnType<Hasher["start"]> | null;
  /** The same for each try. */
  readonly key: string;
  samples: readonly Sample[];
  sending: Sending | null;
}

export interface UploaderOptions {
  /** Address of the POST. */
  readonly path: string;
  /** Address that tus uploads are made at; null where the site has none. */
  readonly tusPath: string | null;
  /** A file is being sent. */
  readonly onStart: (file: File, folder: string) => void;
  /** Bytes; 0 is no limit. */
  readonly maxFileSize: number;
}

/** The uploads of this page. */
export class Uploader {
  private queue = EMPTY_QUEUE;
  private readonly works = new Map<number, Work>();
  /** Fingerprint -> key of the newest item of that file. */
  private readonly keys = new Map<string, number>();
  private readonly options: UploaderOptions;
  private readonly hasher = new Hasher("/assets/hash.js");
  /** Items whose lines are still to be made or brought up to date, oldest first. */
  private readonly behind = new Set<number>();
  private isSummaryDue = false;
  private readonly notice = byId("queue-notice", HTMLElement);
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
  async add({ files, unreadable }: Dropped): Promise<void> {
    let some: [NewFile, Found][] = [];
    let already = 0;
    let count = 0;
    const failed: string[] = [];
    // Asking for the size of ten thousand files takes seconds.
    await inSlices(
      files,
      (found) => {
        const name = fingerprintOf(found.file, found.folder);
        if (this.isActive(name)) already += 1;
        else {
          // The same again in this slice counts as there already.
          this.keys.set(name, this.queue.nextKey + some.length);
          some.push([newFileOf(found, this.options.maxFileSize), found]);
        }
      },
      () => {
        for (const { problem, name } of some.map(([file]) => file)) if (problem !== undefined) failed.push(LIVE.failed(displayName(name), problem.message));
        count += some.length;
        this.append(some);
        some = [];
      },
    );
    this.append(unreadable.map((name) => [{ name, size: 0, problem: PROBLEM.folder(displayName(name)) }, null]));
    for (const name of unreadable) failed.push(LIVE.failed(displayName(name), PROBLEM.folder(displayName(name)).message));
    this.notice.hidden = already === 0;
    setText(this.notice, already === 0 ? "" : LIVE.already(already, FORMAT.count(already)));
    const added = count + unreadable.length - failed.length;
    if (added > 0) announce(LIVE.added(added));
    if (already > 0) announce(LIVE.already(already, FORMAT.count(already)));
    for (const sentence of failed.slice(0, SPOKEN_FILES_MAX)) announce(sentence);
  }

  /** Whether a file waits or is under way: a second upload of it would write the same bytes. */
  private isActive(fingerprint: string): boolean {
    const key = this.keys.get(fingerprint);
    if (key === undefined) return false;
    return key >= this.queue.nextKey || isActive(this.find(key)?.state);
  }

  private append(some: readonly (readonly [NewFile, Found | null])[]): void {
    const from = this.queue.items.length;
    this.queue = step(this.queue, { kind: "add", files: some.map(([file]) => file) });
    const items = this.queue.items.slice(from);
    items.forEach(({ key }, index) => {
      this.works.set(key, { found: some[index]?.[1] ?? null, row: null, hash: null, key: newKey(), samples: [], sending: null });
    });
    this.showSoon(items);
    this.showSummary();
  }

  /** Starts what has been added. */
  submit(description: string): void {
    this.apply({ kind: "submit", description });
  }

  private showSoon(items: readonly Item[]): void {
    if (items.length === 0) return;
    if (this.behind.size === 0) requestAnimationFrame(() => this.showSome());
    for (const { key } of items) this.behind.add(key);
  }

  /** Makes some lines or brings them up to date, and comes again in the next frame while there are more. */
  private showSome(): void {
    let left = LINES_A_FRAME;
    for (const key of this.behind) {
      this.behind.delete(key);
      const item = this.find(key);
      const work = this.works.get(key);
      if (item === undefined || work === undefined) continue;
      if (work.row === null) {
        work.row = new Row(item, this.isResumable(item), (action) => this.act(key, action));
        this.list.append(work.row.element);
      }
      this.showItem(item);
      left -= 1;
      if (left === 0) break;
    }
    if (this.behind.size > 0) requestAnimationFrame(() => this.showSome());
  }

  private isResumable({ size }: Item): boolean {
    return this.options.tusPath !== null && size >= RESUMABLE_FROM;
  }

  private find(key: number): Item | undefined {
    return findItem(this.queue, key);
  }

  private say(sentence: string): void {
    if (this.queue.items.length <= SPOKEN_FILES_MAX) announce(sentence);
  }

  private act(key: number, action: RowAction): void {
    const item = this.find(key);
    const work = this.works.get(key);
    if (item === undefined || work === undefined) return;
    if (action === "cancel" && item.state.kind === "finishing" && work.sending === null) {
      // It is filed already: all that can still be given up is the comparison.
      work.hash?.stop();
      return;
    }
    if (action === "cancel" || action === "pause") {
      work.sending?.abort();
      work.sending = null;
    }
    if (action === "cancel") {
      announce(LIVE.cancelled(displayName(item.name)));
      work.hash?.stop();
      work.hash = null;
    }
    // What was sent of a file that nobody wants to go on with takes no space any more.
    if ((action === "cancel" || action === "remove") && work.found !== null && this.isResumable(item)) void discardFile(work.found.file, work.found.folder);
    if (action === "pause") announce(LIVE.paused(displayName(item.name)));
    if (action === "remove") announce(LIVE.removed(displayName(item.name)));
    this.apply({ kind: action, key });
  }

  private apply(event: QueueEvent): void {
    const before = this.queue;
    this.queue = step(before, event);
    if (this.queue === before) return;
    for (const key of startable(this.queue)) this.start(key);
    if (event.kind === "submit") this.showSoon(this.queue.items);
    else if (event.kind === "remove") this.discard(event.key);
    else if (event.kind !== "add") this.showItem(this.find(event.key));
    if (event.kind !== "progress") this.showSummary();
  }

  private start(key: number): void {
    const work = this.works.get(key);
    const item = this.find(key);
    if (work === undefined || work.found === null || item === undefined) return;
    const { file, folder } = work.found;
    const { path, tusPath } = this.options;
    this.queue = step(this.queue, { kind: "start", key });
    this.showItem(this.find(key));
    this.options.onStart(file, folder);
    work.hash ??= this.hasher.start(file);
    work.samples = [{ atMs: performance.now(), loaded: item.sent }];
    const options = {
      path,
      description: item.description,
      folder,
      key: work.key,
      onProgress: (loaded: number) => {
        work.samples = addSample(work.samples, { atMs: performance.now(), loaded });
        this.apply({ kind: "progress", key, loaded });
      },
      onSent: () => this.apply({ kind: "sent", key }),
      onOutcome: (outcome: Outcome) => void this.end(item, work, outcome),
    };
    const begin = (held: SendOptions): Sending => (tusPath !== null && this.isResumable(item) ? sendTus(file, tusPath, held) : sendForm(file, file.size < RESUMABLE_FROM, held));
    work.sending = holdFile(fingerprintOf(file, folder), begin, options);
    this.say(LIVE.started(displayName(item.name)));
  }

  /** The end of a try: what arrived is compared with what is here. */
  private async end({ key, name }: Item, work: Work, answer: Outcome): Promise<void> {
    work.sending = null;
    const outcome = answer.kind === "done" ? compared(answer.result, (await work.hash?.digestSoon()) ?? null) : answer;
    if (outcome.kind === "done") this.say(LIVE.done(displayName(name)));
    else {
      // The file may be another one when it is tried again.
      work.hash?.stop();
      work.hash = null;
      announce(LIVE.failed(displayName(name), outcome.problem.message));
    }
    this.apply({ ...outcome, key });
    const { total, underWay, failed, doneIds } = summarise(this.queue);
    if (underWay === 0 && total > SPOKEN_FILES_MAX) announce(LIVE.overall(doneIds.length, failed));
  }

  /** Takes a removed item's line off the page; focus goes to the next line, or to the form. */
  private discard(key: number): void {
    const element = this.works.get(key)?.row?.element;
    const hadFocus = element?.contains(document.activeElement) ?? false;
    const neighbour = element?.nextElementSibling ?? element?.previousElementSibling;
    element?.remove();
    this.works.delete(key);
    if (!hadFocus) return;
    (neighbour instanceof HTMLElement ? neighbour : byId("file", HTMLElement)).focus();
  }

  private showItem(item: Item | undefined): void {
    const work = item === undefined ? undefined : this.works.get(item.key);
    if (item === undefined || work === undefined) return;
    work.row?.show(item, rateAt(work.samples, performance.now(), item.size));
  }

  private showRunning(): void {
    for (const item of this.queue.items) if (item.state.kind === "sending") this.showItem(item);
  }

  /** Counts once a frame at most: ten thousand small files end faster than that. */
  private showSummary(): void {
    if (this.isSummaryDue) return;
    this.isSummaryDue = true;
    requestAnimationFrame(() => {
      this.isSummaryDue = false;
      this.showSummaryNow();
    });
  }

  private showSummaryNow(): void {
    const { total, ready, failed, doneIds } = summarise(this.queue);
    const done = doneIds.length;
    this.section.hidden = total === 0;
    this.submitButton.disabled = ready === 0;
    setText(this.submitButton, ready === 0 ? HOME.submit : HOME.submitCount(ready, FORMAT.count(ready)));
    const parts = total === ready ? [] : [ITEM.overall(FORMAT.count(done), FORMAT.count(total)), ...(failed > 0 ? [ITEM.overallFailed(FORMAT.count(failed))] : [])];
    setText(this.summary, parts.join(" · "));
    this.listLink.hidden = done === 0;
    this.listLink.href = `/list?new=${doneIds.slice(-POINTED_OUT_MAX).map(encodeURIComponent).join(",")}`;
  }
}
