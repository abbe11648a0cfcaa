import { GROUPS, keyOf } from "../contestant.ts";
import { isWhole, noteOf } from "../rounds.ts";
import { counted, median, medianInterval } from "../statistics.ts";
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
  /** Median of the rounds, of its time in the yardstick's of the same round: what changes with time hits both alike. */
  readonly ratio?: number;
  /** Where the true ratio is with a chance of 94 % or more; not with fewer than five rounds. */
  readonly interval?: readonly [number, number];
  readonly atMost?: number;
  readonly met?: boolean;
}

/** The times of a contestant in another's of the same round, for the rounds that count. */
function ratiosOf(result: SpeedResult, other: SpeedResult): number[] {
  return counted(result.runs).flatMap(({ round, seconds }) => {
    const same = other.runs.find((run) => run.round === round);
    return same === undefined ? [] : [seconds / same.seconds];
  });
}

function compared(result: SpeedResult, measure: ReturnType<typeof measuresOf>[number], all: readonly SpeedResult[]): Partial<SpeedRow> {
  const { yardstick, atMost } = measure;
  const other = all.find((one) => keyOf(one) === yardstick);
  const ratios = other === undefined ? [] : ratiosOf(result, other);
  if (ratios.length === 0) return atMost === undefined ? {} : { yardstick, atMost };
  const ratio = median(ratios);
  const interval = medianInterval(ratios);
  return {
    yardstick,
    ratio,
    ...(interval === undefined ? {} : { interval }),
    ...(atMost === undefined ? {} : { atMost, met: ratio <= atMost }),
  };
}

function rowsOf(result: SpeedResult, sizeBytes: number, all: readonly SpeedResult[]): SpeedRow[] {
  const times = counted(result.runs).map(({ seconds }) => seconds);
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
  return measures.length === 0 ? [own] : measures.map((measure) => ({ ...own, ...compared(result, measure, all) }));
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
    head: ["group", "contestant", "seconds", "min-max", "GiB/s", "CPU s/GiB", "ratio", "interval", "to", "target", "verdict"],
    left: [0, 1, 8, 10],
    rows: speedRows(report).map((one, i, rows) => [
      one.group,
      one.name,
      ...(i > 0 && keyOf(rows[i - 1]!) === keyOf(one) ? ["", "", "", ""] : ownCells(one)),
      one.ratio?.toFixed(2) ?? "",
      one.interval?.map((end) => end.toFixed(2)).join("-") ?? "",
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
