import { GROUPS, keyOf } from "../contestant.ts";
import { isWhole, noteOf } from "../rounds.ts";
import { counted, median } from "../statistics.ts";
import type { SpeedReport, SpeedResult } from "../suites/speed.ts";
import type { Table } from "../table.ts";
import { measuresOf } from "../targets.ts";
import { verdict } from "./format.ts";

const GIB = 1024 ** 3;

/** What the rounds of a contestant come to, and how that compares with another's. */
export interface SpeedRow {
  readonly group: string;
  readonly name: string;
  /** Median, smallest and largest of the rounds that count. */
  readonly seconds: number;
  readonly least: number;
  readonly most: number;
  readonly gibPerSecond: number;
  readonly cpuSecondsPerGib: number;
  /** Group and name of who it is compared with, if there is a target or that was measured too. */
  readonly yardstick?: string;
  /** Median in the yardstick's median. */
  readonly ratio?: number;
  readonly atMost?: number;
  readonly met?: boolean;
}

function secondsOf(result: SpeedResult): number[] {
  return counted(result.runs).map(({ seconds }) => seconds);
}

function compared(times: readonly number[], measure: ReturnType<typeof measuresOf>[number], all: readonly SpeedResult[]): Partial<SpeedRow> {
  const { yardstick, atMost } = measure;
  const other = all.find((one) => keyOf(one) === yardstick);
  const ratio = other === undefined ? undefined : median(times) / median(secondsOf(other));
  return {
    ...(atMost === undefined && ratio === undefined ? {} : { yardstick }),
    ...(ratio === undefined ? {} : { ratio }),
    ...(atMost === undefined ? {} : { atMost }),
    ...(atMost === undefined || ratio === undefined ? {} : { met: ratio <= atMost }),
  };
}

function rowsOf(result: SpeedResult, sizeBytes: number, all: readonly SpeedResult[]): SpeedRow[] {
  const times = secondsOf(result);
  const seconds = median(times);
  const own = {
    group: result.group,
    name: result.name,
    seconds,
    least: Math.min(...times),
    most: Math.max(...times),
    gibPerSecond: sizeBytes / GIB / seconds,
    cpuSecondsPerGib: median(counted(result.runs).map(({ cpuSeconds }) => cpuSeconds)) / (sizeBytes / GIB),
  };
  const measures = measuresOf(keyOf(result));
  return measures.length === 0 ? [own] : measures.map((measure) => ({ ...own, ...compared(times, measure, all) }));
}

/** A row for each comparison of each contestant that was measured to the end, group by group. */
export function speedRows(report: SpeedReport): SpeedRow[] {
  const whole = report.results.filter(isWhole);
  const rows = whole.flatMap((result) => rowsOf(result, report.sizeBytes, whole));
  return GROUPS.flatMap((group) => rows.filter((one) => one.group === group));
}

function ownCells(row: SpeedRow): string[] {
  return [row.seconds.toFixed(3), `${row.least.toFixed(3)}-${row.most.toFixed(3)}`, row.gibPerSecond.toFixed(2), row.cpuSecondsPerGib.toFixed(2)];
}

/** The rows as a table; the numbers of a contestant that is compared with several stand in the first of its rows. */
export function speedTable(report: SpeedReport): Table {
  return {
    head: ["group", "contestant", "seconds", "min-max", "GiB/s", "CPU s/GiB", "ratio", "to", "target", "verdict"],
    left: [0, 1, 7, 9],
    rows: speedRows(report).map((one, i, rows) => [
      one.group,
      one.name,
      ...(i > 0 && keyOf(rows[i - 1]!) === keyOf(one) ? ["", "", "", ""] : ownCells(one)),
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
