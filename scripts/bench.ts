import { join } from "node:path";
import { writeDocs, writeReport } from "../bench/docs/write.ts";
import { parseOptions, USAGE } from "../bench/options.ts";
import { runBench } from "../bench/run.ts";
import { notesOf, tablesOf } from "../bench/summary/all.ts";
import { textTable } from "../bench/table.ts";
import { runMain } from "./core/main.ts";
import { checkout } from "./core/paths.ts";

/** `npm run bench`. */
await runMain(async () => {
  const options = parseOptions(process.argv.slice(2), process.env["INIT_CWD"] ?? process.cwd());
  if (options === "help") return void process.stdout.write(`${USAGE}\n`);
  const report = await runBench(options, (line) => process.stderr.write(`${line}\n`));
  if (options.json !== undefined) await writeReport(options.json, report);
  if (options.writeDocs) await writeDocs(join(checkout, "docs", "benchmark"), report);
  const notes = notesOf(report);
  process.stdout.write(`\n${tablesOf(report).map(textTable).join("\n")}${notes.map((line) => `\n${line}`).join("")}\n`);
  return notes.some((line) => line.startsWith("FAILED")) ? 1 : 0;
});
