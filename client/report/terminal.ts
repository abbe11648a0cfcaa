/** A terminal: a few lines are drawn again and again, below those that stay. */
import { totalOf, type Summary } from "../display.ts";
import type { Plan } from "../plan.ts";
import type { SendFailure, SendResult } from "../send/answer.ts";
import { Lines } from "./lines.ts";
import { Progress } from "./progress.ts";
import type { Outputs, Report, Source } from "./report.ts";

const REDRAW_EVERY_MS = 100;

/** With more files than this only failures stay on the terminal: the summary says the rest. */
const MOST_LINES = 50;

export class Terminal implements Report {
  readonly #outputs: Outputs;
  readonly #columns: () => number;
  readonly #lines: Lines;
  #progress = new Progress(1, undefined, performance.now());
  #files = 0;
  #drawn = 0;
  #drawnAt = 0;

  /** @param columns of the terminal now */
  constructor(outputs: Outputs, columns: () => number) {
    this.#outputs = outputs;
    this.#columns = columns;
    this.#lines = new Lines(outputs, false);
  }

  planned(plan: Plan, host: string): void {
    this.#lines.planned(plan, host);
    this.#files = plan.files.length;
    this.#progress = new Progress(plan.files.length, totalOf(plan.files), performance.now());
  }

  note(text: string): void {
    this.#clear();
    this.#lines.note(text);
  }

  stopped(text: string): void {
    this.#clear();
    this.#lines.stopped(text);
  }

  unreached(failure: SendFailure): void {
    this.#clear();
    this.#lines.unreached(failure);
  }

  lost(failure: SendFailure): void {
    this.#clear();
    this.#lines.lost(failure);
  }

  resumed(source: Source, bytes: number): void {
    this.#clear();
    this.#lines.resumed(source, bytes);
    this.#progress.resumed(source, bytes);
    this.#draw();
  }

  progress(source: Source, sent: number): void {
    this.#progress.progress(source, sent);
    this.#draw();
  }

  ended(source: Source, result: SendResult): void {
    this.#progress.ended(source, result.ok ? result.size : (source.size ?? 0));
    if (!result.ok || this.#files <= MOST_LINES) {
      this.#clear();
      this.#lines.ended(source, result);
    }
    this.#draw();
  }

  summary(summary: Summary, advice: string): void {
    this.#clear();
    this.#lines.summary(summary, advice);
  }

  #draw(): void {
    const now = performance.now();
    if (now - this.#drawnAt < REDRAW_EVERY_MS) return;
    this.#drawnAt = now;
    const lines = this.#progress.lines(this.#columns(), now);
    this.#outputs.err(`${this.#up()}${lines.map((line) => `${line}\n`).join("")}`);
    this.#drawn = lines.length;
  }

  #clear(): void {
    if (this.#drawn > 0) this.#outputs.err(this.#up());
    this.#drawn = 0;
    this.#drawnAt = 0;
  }

  /** Back to the first of the lines drawn, and all below it empty (ECMA-48: CPL, ED). */
  #up(): string {
    return this.#drawn === 0 ? "" : `\x1b[${this.#drawn}F\x1b[J`;
  }
}
