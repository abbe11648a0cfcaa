import { GROUPS, keyOf } from "../contestant.ts";
import { isWhole, noteOf } from "../rounds.ts";
import { counted, median } from "../statistics.ts";
import type { SpeedReport, SpeedResult } from "../suites/speed.ts";
import type { Table } from "../table.ts";
import { measureOf } from "../targets.ts";
import { verdict } from "./format.ts";

const GIB = 1024 ** 3;

/** What the rounds of a contestant come to. */
export interface SpeedRow {
  readonly group: string;
  readonly name: string;
  /** Median, smallest and largest of the rounds that count. */
  readonly seconds: number;
  readonly least: number;
  readonly most: number;
  readonly gibPerSecond: number;
  readonly cpuSecondsPerGib: number;
  /** Group and name of who it is compared with, if that was measured too. */
  readonly yardstick?: string;
  /** Median in the yardstick's median. */
  readonly ratio?: number;
  readonly atMost?: number;
  readonly met?: boolean;
}

function secondsOf(result: SpeedResult): number[] {
  return counted(result.runs).map(({ seconds }) => seconds);
}

function row(result: SpeedResult, sizeBytes: number, all: readonly SpeedResult[]): SpeedRow {
  const times = secondsOf(result);
  const seconds = median(times);
  const measure = measureOf(keyOf(result));
  const other = all.find((one) => keyOf(one) === measure?.yardstick);
  const ratio = other === undefined ? undefined : seconds / median(secondsOf(other));
  return {
    group: result.group,
    name: result.name,
    seconds,
    least: Math.min(...times),
    most: Math.max(...times),
    gibPerSecond: sizeBytes / GIB / seconds,
    cpuSecondsPerGib: median(counted(result.runs).map(({ cpuSeconds }) => cpuSeconds)) / (sizeBytes / GIB),
    ...(measure === undefined || ratio === undefined ? {} : { yardstick: measure.yardstick, ratio }),
    ...(measure?.atMost === undefined ? {} : { atMost: measure.atMost }),
    ...(measure?.atMost === undefined || ratio === undefined ? {} : { met: ratio <= measure.atMost }),
  };
}

/** A row for each contestant that was measured to the end, group by group. */
export function speedRows(report: SpeedReport): SpeedRow[] {
  const whole = report.results.filter(isWhole);
  const rows = whole.map((result) => row(result, report.sizeBytes, whole));
  return GROUPS.flatMap((group) => rows.filter((one) => one.group === group));
}

/** The rows as a table. */
export function speedTable(report: SpeedReport): Table {
  return {
    head: ["group", "contestant", "seconds", "min-max", "GiB/s", "CPU s/GiB", "ratio", "to", "target", "verdict"],
    left: [0, 1, 7, 9],
    rows: speedRows(report).map((one) => [
      one.group,
      one.name,
      one.seconds.toFixed(3),
      `${one.least.toFixed(3)}-${one.most.toFixed(3)}`,
      one.gibPerSecond.toFixed(2),
      one.cpuSecondsPerGib.toFixed(2),
      one.ratio?.toFixed(2) ?? "",
      one.yardstick?.replace(`${one.group}/`, "") ?? "",
      one.atMost === undefined ? "" : `<= ${one.atMost.toFixed(2)}`,
      verdict(one.met),
    ]),
  };
}

/** A line for everyone who was not measured to the end, with the reason. */
export function speedNotes(report: SpeedReport): string[] {
  return report.results.flatMap((result) => noteOf(keyOf(result), result) ?? []);
}
