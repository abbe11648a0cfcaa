import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SUITES } from "../options.ts";
import { exists } from "../programs.ts";
import type { Report } from "../report.ts";
import { chartsOf } from "./charts.ts";
import { linkCharts } from "./link-charts.ts";
import { benchmarkPage } from "./page.ts";

const chartsFor = (report: Report): readonly { readonly file: string; readonly svg: string }[] =>
  report.suite === "growth" ? chartsOf(report) : report.suite === "link" ? linkCharts(report) : [];

/**
 * Writes a report, its charts and the page with the reports of all suites that are there.
 * @param folder docs/benchmark
 */
export async function writeDocs(folder: string, report: Report): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeReport(join(folder, `${report.suite}.json`), report);
  for (const { file, svg } of chartsFor(report)) await writeFile(join(folder, file), svg);
  const reports: Report[] = [];
  for (const suite of SUITES) {
    const file = join(folder, `${suite}.json`);
    if (await exists(file)) reports.push(JSON.parse(await readFile(file, "utf8")) as Report);
  }
  await writeFile(join(folder, "README.md"), benchmarkPage(reports));
}

/** Writes a report as JSON. */
export async function writeReport(file: string, report: Report): Promise<void> {
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
}
