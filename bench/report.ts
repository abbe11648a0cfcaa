import type { Machine } from "./machine.ts";
import type { FilesReport } from "./suites/files.ts";
import type { GrowthReport } from "./suites/growth.ts";
import type { LinkReport } from "./suites/link.ts";
import type { ScaleReport } from "./suites/scale.ts";
import type { SpeedReport } from "./suites/speed.ts";

/** A whole run of the benchmark, as `--json` writes it. */
export type Report = (SpeedReport | ScaleReport | GrowthReport | LinkReport | FilesReport) & {
  readonly machine: Machine;
  /** What the memory holder said; null without one. */
  readonly held: string | null;
  /** How often each was measured; the first round does not count when there are more. */
  readonly rounds: number;
};
