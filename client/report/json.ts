/** One JSON object a line, for programs. */
import { resultObject, type Summary, unreachedObject } from "../display.ts";
import type { Plan } from "../plan.ts";
import type { SendFailure, SendResult } from "../send/answer.ts";
import type { Outputs, Report, Source } from "./report.ts";

export class Json implements Report {
  readonly #write: (value: unknown) => void;

  constructor({ out }: Outputs) {
    this.#write = (value) => out(`${JSON.stringify(value)}\n`);
  }

  planned(plan: Plan): void {
    for (const { argument, why } of plan.unreadable) this.#write({ file: argument, ok: false, error: { kind: "local", code: "unreadable", status: null, message: why, hint: "see --skip-unreadable" } });
    for (const { argument, why } of plan.skipped) this.#write({ file: argument, skipped: why });
  }

  note(text: string): void {
    this.#write({ note: text });
  }

  stopped(text: string): void {
    this.#write({ error: { message: text } });
  }

  unreached(failure: SendFailure): void {
    this.#write(unreachedObject(failure));
  }

  lost(failure: SendFailure): void {
    this.#write(unreachedObject(failure));
  }

  resumed({ argument, size }: Source, bytes: number): void {
    this.#write({ file: argument, resumed: bytes, size });
  }

  progress(): void {}

  ended(source: Source, result: SendResult): void {
    this.#write(resultObject(source, result));
  }

  summary(summary: Summary): void {
    this.#write({ summary: { ...summary, ms: Math.round(summary.ms) } });
  }
}
