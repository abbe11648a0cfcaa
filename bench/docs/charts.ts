import { AXES, type Axis, type GrowthReport } from "../suites/growth.ts";
import { formatBytes, formatSeconds } from "../summary/format.ts";
import { formatX, medians } from "../summary/growth.ts";
import { type AxisOptions, chartSvg } from "../svg.ts";

const LABELS: Readonly<Record<Axis, string>> = { size: "size of the file", parts: "files in the form", fields: "fields in the form", ranges: "ranges of the file" };

/** A chart that belongs to a report. */
export interface DocChart {
  readonly axis: Axis;
  /** Name in docs/benchmark. */
  readonly file: string;
  readonly title: string;
  readonly svg: string;
}

const COSTS = [
  { name: "time", title: "Time", label: "time of all requests", format: formatSeconds, base: 10, value: ({ seconds }: { seconds: number }) => seconds },
  { name: "memory", title: "Worker memory", label: "rise of the worker's memory", format: formatBytes, base: 2, value: ({ peakBytes }: { peakBytes: number | undefined }) => peakBytes },
] as const;

/** Time and memory against everything that grows: two charts for each that was measured. */
export function chartsOf(report: GrowthReport): DocChart[] {
  return AXES.flatMap((axis) => {
    const series = report.series.filter((one) => one.axis === axis && medians(one).length > 0);
    // Sizes lie too far apart for a linear axis; counts do not, and there a straight line is one to the eye.
    const scale = axis === "size" ? "log" : "linear";
    const x: AxisOptions = { label: LABELS[axis], scale, base: axis === "size" ? 2 : 10, format: (value) => formatX(axis, value) };
    if (series.length === 0) return [];
    return COSTS.map(({ name, title, label, format, base, value }) => {
      const lines = series
        .map((one) => ({ name: one.name, points: medians(one).flatMap((point) => (value(point) === undefined ? [] : [{ x: point.x, y: value(point)! }])) }))
        .filter(({ points }) => points.length > 0);
      const heading = `${title} against ${LABELS[axis]}`;
      return { axis, file: `growth-${axis}-${name}.svg`, title: heading, svg: chartSvg({ title: heading, x, y: { label, scale: name === "memory" ? "linear" : scale, base, format }, lines }) };
    });
  });
}
