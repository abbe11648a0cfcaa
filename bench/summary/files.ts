import { isWhole, noteOf } from "../rounds.ts";
import { counted, median } from "../statistics.ts";
import type { FilesReport } from "../suites/files.ts";
import type { Table } from "../table.ts";
import { formatCount } from "./format.ts";

/** The clients as a table, each beside the first. */
export function filesTable(report: FilesReport): Table {
  const rows = report.results.filter(isWhole).map(({ name, runs }) => {
    const times = counted(runs).map(({ seconds }) => seconds);
    return { name, times, seconds: median(times), cpu: median(counted(runs).map(({ cpuSeconds }) => cpuSeconds)) };
  });
  return {
    head: ["who sends", "files/s", "seconds", "min-max", "server CPU ms/file", "ratio"],
    rows: rows.map(({ name, times, seconds, cpu }) => [
      name,
      formatCount(Math.round(report.count / seconds)),
      seconds.toFixed(2),
      `${Math.min(...times).toFixed(2)}-${Math.max(...times).toFixed(2)}`,
      cpu === 0 ? "" : ((cpu / report.count) * 1e3).toFixed(2),
      (rows[0]!.seconds / seconds).toFixed(2),
    ]),
  };
}

/** A line for everyone who was not measured to the end, with the reason. */
export function filesNotes(report: FilesReport): string[] {
  return report.results.flatMap((result) => noteOf(result.name, result) ?? []);
}
