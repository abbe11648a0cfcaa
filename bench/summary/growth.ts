import { isWhole, noteOf } from "../rounds.ts";
import { counted, growthExponent, median } from "../statistics.ts";
import type { Axis, GrowthReport, GrowthSeries } from "../suites/growth.ts";
import type { Table } from "../table.ts";
import { formatBytes, formatCount, formatSeconds } from "./format.ts";

/** What the rounds of a point come to. */
export interface GrowthMedian {
  readonly x: number;
  readonly seconds: number;
  readonly peakBytes: number | undefined;
}

/** The points of a series that were measured to the end, as medians, in their order. */
export function medians({ points }: GrowthSeries): GrowthMedian[] {
  return points.filter(isWhole).map(({ x, runs }) => {
    const peaks = counted(runs).flatMap(({ peakBytes }) => peakBytes ?? []);
    return { x, seconds: median(counted(runs).map(({ seconds }) => seconds)), peakBytes: peaks.length === 0 ? undefined : median(peaks) };
  });
}

/** A value of an axis in words. */
export const formatX = (axis: Axis, x: number): string => (axis === "size" ? formatBytes(x) : formatCount(x));

/** The series of an axis as a table: time, time for each one, how it grows, and memory. */
export function growthTable(report: GrowthReport, axis: Axis): Table {
  const one = axis === "size" ? "MiB" : axis.replace(/s$/, "");
  const unit = axis === "size" ? 1024 ** 2 : 1;
  const rows = report.series.filter((series) => series.axis === axis).flatMap((series) => {
    const points = medians(series);
    return points.map(({ x, seconds, peakBytes }, i) => {
      const exponent = growthExponent(points.slice(0, i + 1).map((point) => ({ x: point.x, y: point.seconds })));
      return [series.name, formatX(axis, x), formatSeconds(seconds), formatSeconds(seconds / (x / unit)), exponent?.toFixed(2) ?? "", peakBytes === undefined ? "" : formatBytes(peakBytes)];
    });
  });
  return { head: ["what", axis, "time", `time for each ${one}`, "exponent", "worker memory"], rows };
}

/** A line for every point that was not measured to the end, with the reason; points with the same reason in one line. */
export function growthNotes(report: GrowthReport): string[] {
  const lines = report.series.flatMap(({ axis, name, points }) => points.flatMap((point) => noteOf(`${axis} ${name}`, point) ?? []));
  return [...new Set(lines)];
}
