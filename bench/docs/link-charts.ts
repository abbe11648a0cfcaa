import { CONGESTION_CONTROLS } from "../link.ts";
import type { LinkReport } from "../suites/link.ts";
import { linkRows } from "../summary/link.ts";
import { chartSvg } from "../svg.ts";

/** Speed against streams: a chart for each way to find the speed, a line for each client. */
export function linkCharts(report: LinkReport): { readonly file: string; readonly title: string; readonly svg: string }[] {
  return CONGESTION_CONTROLS.flatMap((congestion) => {
    const rows = linkRows(report).filter((one) => one.congestion === congestion);
    if (rows.length === 0) return [];
    const lines = [...new Set(rows.map(({ tool }) => tool))].map((tool) => ({
      name: tool,
      points: rows.filter((one) => one.tool === tool).map(({ streams, megabits }) => ({ x: streams, y: megabits })),
    }));
    const title = `Speed against streams, ${congestion}`;
    return [{
      file: `link-${congestion}.svg`,
      title,
      svg: chartSvg({ title, x: { label: "connections for the file", scale: "log", base: 2, format: String }, y: { label: "Mb/s", scale: "linear", format: String }, lines }),
    }];
  });
}
