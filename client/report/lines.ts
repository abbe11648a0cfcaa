/** Plain lines, for a file, a pipe or a terminal that cannot redraw. */
import { lostLine, planLine, printable, resultLine, resumedLine, type Summary, summaryLine, unreachedLine } from "../display.ts";
import type { Plan } from "../plan.ts";
import type { SendFailure, SendResult } from "../send/answer.ts";
import type { Outputs, Report, Source } from "./report.ts";

export class Lines implements Report {
  readonly #outputs: Outputs;
  readonly #quiet: boolean;

  /** @param quiet only what failed */
  constructor(outputs: Outputs, quiet: boolean) {
    this.#outputs = outputs;
    this.#quiet = quiet;
  }

  planned(plan: Plan, host: string): void {
    for (const { argument, why } of plan.unreadable) this.#outputs.err(`skip  ${printable(argument)}: ${why}\n`);
    if (this.#quiet) return;
    for (const { argument, why } of plan.skipped) this.#outputs.err(`skip  ${printable(argument)}: ${why}\n`);
    this.#outputs.err(`${planLine(plan, host)}\n`);
  }

  note(text: string): void {
    if (!this.#quiet) this.#outputs.err(`note  ${printable(text)}\n`);
  }

  stopped(text: string): void {
    this.#outputs.err(`${printable(text)}\n`);
  }

  unreached(failure: SendFailure): void {
    this.#outputs.err(`${unreachedLine(failure)}\n`);
  }

  lost(failure: SendFailure): void {
    this.#outputs.err(`${lostLine(failure)}\n`);
  }

  resumed({ argument, size = 0 }: Source, bytes: number): void {
    if (!this.#quiet) this.#outputs.err(`${resumedLine({ argument, size }, bytes)}\n`);
  }

  progress(): void {}

  ended(source: Source, result: SendResult): void {
    if (!result.ok) this.#outputs.err(`${resultLine(source, result)}\n`);
    else if (!this.#quiet) this.#outputs.out(`${resultLine(source, result)}\n`);
  }

  summary(summary: Summary, advice: string): void {
    if (!this.#quiet && (summary.files > 1 || summary.before > 0)) this.#outputs.err(`${summaryLine(summary)}\n`);
    if (advice !== "" && (!this.#quiet || summary.exitCode !== 0)) this.#outputs.err(`${advice}\n`);
  }
}
