import type { Cleanup } from "./cleanup.ts";
import type { Ground } from "./ground.ts";
import type { BenchOptions } from "./options.ts";

/** What a suite is given to run. */
export interface Session {
  readonly options: BenchOptions;
  readonly ground: Ground;
  readonly cleanup: Cleanup;
  /** Tells how far it is, a line at a time. */
  readonly say: (line: string) => void;
}
