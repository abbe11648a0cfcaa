import { readHost, type Host } from "./host.ts";
import { findProgram, run, type Run } from "./run.ts";

/** The machine as the steps and checks see it: what it is, its programs, and a way to run them. */
export interface Machine {
  readonly host: Host;
  readonly run: Run;
  /** Path of a program, or `undefined`. */
  readonly find: (program: string) => Promise<string | undefined>;
}

export const thisMachine = (): Machine => ({ host: readHost(), run, find: findProgram });
