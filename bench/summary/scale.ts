import { noteOf, isWhole } from "../rounds.ts";
import { counted, median } from "../statistics.ts";
import { latencyName, type LoadResult, loadName, type ScaleReport } from "../suites/scale.ts";
import type { Table } from "../table.ts";
import { formatBytes, formatCount, verdict } from "./format.ts";

const GIB = 1024 ** 3;
const KIB = 1024;
/** Throughput at least, in that of one upload of the same total. */
const LEAST_THROUGHPUT = 0.9;
/** p99 of a small GET beside uploads, seconds. */
const LONGEST_P99 = 0.015;

/** What the rounds of a load come to. */
export interface LoadRow {
  readonly load: LoadResult;
  readonly seconds: number;
  /** What as many files take that are just written, without any server. */
  readonly plainSeconds: number;
  readonly gibPerSecond: number;
  /** Throughput in that of one upload of the same total; undefined for that one, and without it. */
  readonly ratio: number | undefined;
  readonly throughputMet: boolean | undefined;
  readonly bytesPerUpload: number;
  readonly allowedBytes: number;
  /** Undefined for one upload, which bears what the worker takes once, and for others than us. */
  readonly memoryMet: boolean | undefined;
}

const secondsOf = ({ runs }: LoadResult): number => median(counted(runs).map(({ seconds }) => seconds));

function isOne(one: LoadResult, many: LoadResult): boolean {
  const total = ({ uploads, bytesEach }: LoadResult): number => uploads * bytesEach;
  return one.uploads === 1 && one.rival === many.rival && one.buffer === many.buffer && one.digest === many.digest && total(one) === total(many);
}

/** Memory at most for an upload: two buffers, one filled while the other is written, and 64 KiB for all else. */
export const allowedBytes = (buffer: LoadResult["buffer"]): number => 2 * (buffer === "1m" ? KIB * KIB : 64 * KIB) + 64 * KIB;

/** A row for each load that was measured to the end. */
export function loadRows(report: ScaleReport): LoadRow[] {
  const whole = report.loads.filter(isWhole);
  return whole.map((load) => {
    const seconds = secondsOf(load);
    const one = load.uploads === 1 ? undefined : whole.find((other) => isOne(other, load));
    const ratio = one === undefined ? undefined : secondsOf(one) / seconds;
    const bytesPerUpload = median(counted(load.runs).map(({ peakBytes }) => peakBytes)) / load.uploads;
    const allowed = allowedBytes(load.buffer);
    return {
      load,
      seconds,
      plainSeconds: median(counted(load.runs).map((run) => run.plainSeconds)),
      gibPerSecond: (load.uploads * load.bytesEach) / GIB / seconds,
      ratio,
      throughputMet: ratio === undefined || load.rival !== undefined ? undefined : ratio >= LEAST_THROUGHPUT,
      bytesPerUpload,
      allowedBytes: allowed,
      memoryMet: load.uploads === 1 || load.rival !== undefined ? undefined : bytesPerUpload <= allowed,
    };
  });
}

/** Loads as a table. */
export function loadTable(report: ScaleReport): Table {
  return {
    head: ["who", "uploads", "each", "buffers", "digest", "seconds", "files alone", "GiB/s", "to one", "target", "verdict", "memory each", "target", "verdict"],
    left: [0, 4, 10, 13],
    rows: loadRows(report).map(({ load, ...row }) => [
      load.rival ?? "ours",
      formatCount(load.uploads),
      formatBytes(load.bytesEach),
      load.buffer,
      load.digest,
      row.seconds.toFixed(3),
      row.plainSeconds.toFixed(3),
      row.gibPerSecond.toFixed(2),
      row.ratio?.toFixed(2) ?? "",
      row.throughputMet === undefined ? "" : `>= ${LEAST_THROUGHPUT.toFixed(2)}`,
      verdict(row.throughputMet),
      formatBytes(row.bytesPerUpload),
      row.memoryMet === undefined ? "" : `<= ${formatBytes(row.allowedBytes)}`,
      verdict(row.memoryMet),
    ]),
  };
}

/** Answer times as a table, milliseconds. */
export function latencyTable(report: ScaleReport): Table {
  const ms = (numbers: readonly number[]): string => (median(numbers) * 1e3).toFixed(2);
  return {
    head: ["uploads beside", "GETs", "median ms", "p99 ms", "longest ms", "target", "verdict"],
    left: [6],
    rows: report.latencies.filter(isWhole).map(({ uploads, gets, runs }) => {
      const rounds = counted(runs);
      const p99 = rounds.map((run) => run.p99);
      const target = uploads === 0 ? undefined : LONGEST_P99;
      return [
        formatCount(uploads),
        formatCount(gets),
        ms(rounds.map(({ p50 }) => p50)),
        ms(p99),
        ms(rounds.map(({ most }) => most)),
        target === undefined ? "" : `p99 < ${target * 1e3}`,
        target === undefined ? "" : verdict(median(p99) < target),
      ];
    }),
  };
}

/** A line for everything that was not measured to the end, with the reason. */
export function scaleNotes(report: ScaleReport): string[] {
  return [
    ...report.leftOut.map((line) => `LEFT OUT ${line}`),
    ...report.loads.flatMap((load) => noteOf(loadName(load), load) ?? []),
    ...report.latencies.flatMap((one) => noteOf(latencyName(one.uploads), one) ?? []),
  ];
}
