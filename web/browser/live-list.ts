/**
 * The list while it is open: the page is asked for again, and what has changed in it is taken over. So the rows are
 * made in one place, the service's, in the order, the search and the language of the page. Nothing is asked while
 * the tab is hidden.
 */
import { announce, byId } from "./dom.ts";
import { enhancePart } from "./enhance.ts";
import { SHORT_SILENCE_MS } from "./silence.ts";
import { LIST } from "./words.ts";

/** Waits between two questions, ms: while files arrive, while nothing happens, and at most when the server is away. */
const BUSY_MS = 2000;
const IDLE_MS = 5000;
const AWAY_MS = 30_000;

/** What each element was before the script enhanced it; one that comes again the same is not touched. */
const sources = new WeakMap<Element, string>();

function remember(part: ParentNode): void {
  for (const element of part.querySelectorAll("[data-key], .paging, thead")) sources.set(element, element.outerHTML);
}

/** Brings the keyed children of one element to those of another. @returns The ones that were not there before. */
function takeChildren(here: Element, there: Element): readonly Element[] {
  const byKey = new Map([...here.children].map((child) => [child.getAttribute("data-key"), child]));
  const added: Element[] = [];
  const wanted = [...there.children].map((child) => {
    const known = byKey.get(child.getAttribute("data-key"));
    if (known !== undefined && sources.get(known) === child.outerHTML) return known;
    if (known === undefined) added.push(child);
    return replacement(child);
  });
  for (const child of here.children) if (!wanted.includes(child)) child.remove();
  wanted.forEach((child, index) => {
    // An element that is moved loses the focus: only what stands elsewhere is moved.
    if (here.children[index] !== child) here.insertBefore(child, here.children[index] ?? null);
  });
  return added;
}

function replacement(element: Element): Element {
  sources.set(element, element.outerHTML);
  enhancePart(element);
  return element;
}

/** Replaces an element of the page by the new page's, when they differ. */
function takeElement(here: Element | null, there: Element | null): void {
  if (here === null || there === null || sources.get(here) === there.outerHTML) return;
  here.replaceWith(replacement(there));
}

function takeListing(next: Document): readonly Element[] {
  const here = byId("listing", HTMLElement);
  const there = next.getElementById("listing");
  const [table, nextTable] = [here.querySelector("tbody"), there?.querySelector("tbody") ?? null];
  if (there === null) return [];
  const paging = here.querySelector(".paging");
  const nextPaging = there.querySelector(".paging");
  if (table === null || nextTable === null || (paging === null) !== (nextPaging === null)) {
    if (table === null && nextTable === null) return [];
    const known = new Set([...(table?.children ?? [])].map((row) => row.getAttribute("data-key")));
    remember(there);
    enhancePart(there);
    here.replaceChildren(...there.childNodes);
    return [...(nextTable?.children ?? [])].filter((row) => !known.has(row.getAttribute("data-key")));
  }
  takeElement(here.querySelector("thead"), there.querySelector("thead"));
  takeElement(paging, nextPaging);
  return takeChildren(table, nextTable);
}

function takeUnderWay(next: Document): void {
  const here = byId("under-way", HTMLElement);
  const there = next.getElementById("under-way");
  const items = next.getElementById("under-way-items");
  if (there === null || items === null) return;
  takeChildren(byId("under-way-items", HTMLElement), items);
  const title = byId("under-way-title", HTMLElement);
  const nextTitle = there.querySelector("h2");
  if (nextTitle !== null && title.textContent !== nextTitle.textContent) title.replaceChildren(...nextTitle.childNodes);
  here.hidden = there.hidden;
}

function show(rows: readonly Element[]): void {
  if (rows.length === 0) return;
  for (const row of rows) row.classList.add("arrived");
  announce(LIST.arrived(rows.length, rows[0]?.querySelector("th bdi")?.textContent ?? ""));
}

/** Asks, and asks again. */
class LiveList {
  private tag = "";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private isAsking = false;

  constructor() {
    remember(document);
    document.addEventListener("visibilitychange", () => this.turn());
    this.plan(IDLE_MS);
  }

  /** A tab that is looked at again is brought up to date at once. */
  private turn(): void {
    clearTimeout(this.timer);
    if (document.visibilityState === "visible") void this.ask();
  }

  private plan(ms: number): void {
    clearTimeout(this.timer);
    if (document.visibilityState === "visible") this.timer = setTimeout(() => void this.ask(), ms);
  }

  private async ask(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      await this.take();
      this.failures = 0;
    } catch {
      this.failures += 1;
    }
    this.isAsking = false;
    // One question that fails is a moment; two are worth a word.
    const state = byId("live-state", HTMLElement);
    state.hidden = this.failures < 2;
    state.textContent = this.failures < 2 ? "" : LIST.stale;
    const isBusy = !byId("under-way", HTMLElement).hidden;
    this.plan(this.failures > 0 ? Math.min(AWAY_MS, IDLE_MS * 2 ** this.failures) : isBusy ? BUSY_MS : IDLE_MS);
  }

  /** @throws what keeps the page from being had */
  private async take(): Promise<void> {
    const headers = { Accept: "text/html", ...(this.tag === "" ? {} : { "If-None-Match": this.tag }) };
    const answer = await fetch(location.href, { headers, signal: AbortSignal.timeout(SHORT_SILENCE_MS) });
    if (answer.status === 304) return;
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    this.tag = answer.headers.get("ETag") ?? "";
    takeUnderWay(next);
    show(takeListing(next));
  }
}

/** Keeps the list of this page up to date; to be called before anything on it is enhanced. */
export function keepListLive(): void {
  if (document.querySelector("[data-live]") !== null) new LiveList();
}
