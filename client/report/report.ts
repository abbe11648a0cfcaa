/** What a run tells while it goes on; who listens shows it in one way or another. */
import type { Summary } from "../display.ts";
import type { Plan, PlannedFile } from "../plan.ts";
import type { SendFailure, SendResult } from "../send/answer.ts";

/** A file, or what comes from standard input, whose size nobody knows. */
export type Source = Pick<PlannedFile, "argument" | "name"> & { readonly size: number | undefined };

export interface Report {
  /** Once, before anything is sent. */
  planned(plan: Plan, host: string): void;
  /** Something that a person would wonder about, in one sentence. */
  note(text: string): void;
  /** Where nothing can be sent because of something else than a file. */
  stopped(text: string): void;
  /** Where the site cannot be reached at all. */
  unreached(failure: SendFailure): void;
  /** Where the site went away in the middle: of the files that it did not get nothing else is told. */
  lost(failure: SendFailure): void;
  /** A file goes on: the site has so many bytes of an earlier run. Before any progress of it. */
  resumed(source: Source, bytes: number): void;
  /** @param sent bytes of the file at the site, those of earlier runs included */
  progress(source: Source, sent: number): void;
  ended(source: Source, result: SendResult): void;
  summary(summary: Summary, advice: string): void;
}

/** Where texts go. */
export interface Outputs {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}
