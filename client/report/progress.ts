/** How far a run has come, and the lines that show it. */
import { bytes, printable, seconds } from "../display.ts";
import type { Source } from "./report.ts";

/** Speed is that of the last seconds: an average over hours says nothing of now. */
const WINDOW_MS = 5_000;

/** Lines for files under way; more of them nobody reads. */
const MOST_FILES = 4;

interface Running {
  readonly source: Source;
  sent: number;
}

export class Progress {
  readonly #files: number;
  /** Bytes; `undefined` when what comes has no end that is known. */
  readonly #total: number | undefined;
  readonly #running = new Map<Source, Running>();
  /** Bytes that the site had from earlier runs: they count as done, and not as speed. */
  #before = 0;
  #doneBytes = 0;
  #doneFiles = 0;
  /** Bytes in this run at moments of the last seconds; oldest first. */
  #samples: { readonly at: number; readonly sent: number }[];

  constructor(files: number, total: number | undefined, now: number) {
    this.#files = files;
    this.#total = total;
    this.#samples = [{ at: now, sent: 0 }];
  }

  /** Bytes of files that have ended, and of those under way. */
  #sent(): number {
    let sent = this.#doneBytes;
    for (const running of this.#running.values()) sent += running.sent;
    return sent;
  }

  resumed(source: Source, bytes: number): void {
    this.#before += bytes;
    this.progress(source, bytes);
  }

  progress(source: Source, sent: number): void {
    const running = this.#running.get(source);
    if (running === undefined) this.#running.set(source, { source, sent });
    else running.sent = sent;
  }

  ended(source: Source, size: number): void {
    this.#running.delete(source);
    this.#doneBytes += size;
    this.#doneFiles += 1;
  }

  /** Bytes a second. */
  #speed(now: number, sent: number): number {
    const last = this.#samples.at(-1);
    if (last === undefined || now - last.at >= 100) this.#samples.push({ at: now, sent });
    while (this.#samples.length > 2 && now - (this.#samples[1]?.at ?? now) >= WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0];
    if (first === undefined || now - first.at < 1) return 0;
    return Math.max(0, ((sent - first.sent) / (now - first.at)) * 1000);
  }

  /** The lines to show now, each narrower than so many columns. */
  lines(columns: number, now: number): string[] {
    const sent = this.#sent();
    const speed = this.#speed(now, sent - this.#before);
    const shown = [...this.#running.values()];
    const room = Math.max(1, columns - 1);
    const lines = [this.#overall(sent, speed, room)];
    if (this.#files > 1) lines.push(fit(`  ${this.#doneFiles} of ${this.#files} files`, room));
    lines.push(...shown.slice(0, MOST_FILES).map((running) => fileLine(running, room)));
    if (shown.length > MOST_FILES) lines.push(fit(`  and ${shown.length - MOST_FILES} more`, room));
    return lines;
  }

  #overall(sent: number, speed: number, room: number): string {
    if (this.#total === undefined) return fit(`${bytes(sent)}, ${bytes(speed)}/s`, room);
    const share = this.#total === 0 ? 1 : Math.min(1, sent / this.#total);
    const left = speed > 0 && sent < this.#total ? `, ${seconds((this.#total - sent) / speed)} left` : "";
    const facts = `${percent(share)}  ${bytes(sent)} of ${bytes(this.#total)}, ${bytes(speed)}/s${left}`;
    const cells = Math.min(40, room - facts.length - 3);
    return fit(cells < 8 ? facts : `${bar(share, cells)} ${facts}`, room);
  }
}

const percent = (share: number): string => `${String(Math.floor(share * 100)).padStart(3)}%`;

function bar(share: number, cells: number): string {
  const full = Math.floor(share * cells);
  const head = full < cells ? ">" : "";
  return `[${"=".repeat(full)}${head}${" ".repeat(Math.max(0, cells - full - 1))}]`;
}

function fileLine({ source, sent }: Running, room: number): string {
  const facts = source.size === undefined ? bytes(sent) : `${percent(source.size === 0 ? 1 : Math.min(1, sent / source.size))} of ${bytes(source.size)}`;
  return fit(`  ${shortened(printable(source.argument), Math.max(8, room - facts.length - 4))}  ${facts}`, room);
}

/** Columns of a character, at most: all beyond the alphabets of Europe and the Near East count as wide. */
const widthOf = (character: string): number => ((character.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1);

const width = (text: string): number => [...text].reduce((sum, character) => sum + widthOf(character), 0);

/** The beginning of a text that fits. */
function fit(text: string, columns: number): string {
  let used = 0;
  let kept = "";
  for (const character of text) {
    used += widthOf(character);
    if (used > columns) break;
    kept += character;
  }
  return kept;
}

/** A path with its middle left out where it is too long: its end says most. */
function shortened(path: string, columns: number): string {
  if (width(path) <= columns) return path;
  const characters = [...path];
  let used = 3;
  let from = characters.length;
  while (from > 0 && used + widthOf(characters[from - 1] ?? "") <= columns) {
    from -= 1;
    used += widthOf(characters[from] ?? "");
  }
  return `...${characters.slice(from).join("")}`;
}
