/** What a run tells while it goes on; who listens shows it in one way or another. */
import type { Summary } from "../display.ts";
import type { Plan, PlannedFile } from "../plan.ts";
import type { SendResult } from "../send/answer.ts";

/** A file, or what comes from standard input, whose size nobody knows. */
export type Source = Pick<PlannedFile, "argument" | "name"> & { readonly size: number | undefined };

export interface Report {
  /** Once, before anything is sent. */
  planned(plan: Plan, host: string): void;
  /** Something that a person would wonder about, in one sentence. */
  note(text: string): void;
  /** Where nothing can be sent because of something else than a file. */
  stopped(text: string): void;
  progress(source: Source, sent: number): void;
  ended(source: Source, result: SendResult): void;
  summary(summary: Summary, advice: string): void;
}

/** Where texts go. */
export interface Outputs {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}
