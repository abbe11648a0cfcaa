import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "./core/machine.ts";
import { runMain } from "./core/main.ts";
import { checkout } from "./core/paths.ts";
import { closingLine, countTests, skippedList, type VitestReport } from "./core/test-report.ts";
import { findTerraform } from "./steps/terraform.ts";

/**
 * `npm test [-- FILTER...]`: all tests that this machine can run, then what was skipped and why, then
 * `N passed, N failed, N skipped`. Exit code 0 only when none failed.
 */
await runMain(async () => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-test-report-"));
  try {
    const report = join(folder, "report.json");
    const code = await vitest(await findTerraform(thisMachine()), ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...process.argv.slice(2)]);
    const text = await readFile(report, "utf8").catch(() => undefined);
    if (text === undefined) {
      process.stdout.write("vitest ended without a report; its output above says why\n0 passed, 1 failed, 0 skipped\n");
      return 1;
    }
    const results = JSON.parse(text) as VitestReport;
    const counts = countTests(results, code === 0);
    process.stdout.write(`\n${skippedList(results, checkout)}${closingLine(counts)}\n`);
    return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** Runs vitest; the tests that deploy find the terraform that setup found or built. */
function vitest(terraform: string | undefined, args: readonly string[]): Promise<number> {
  const env = { ...process.env, ...(terraform === undefined ? {} : { TERRAFORM_BINARY_NAME: terraform }) };
  const child = spawn(process.execPath, [join(checkout, "node_modules", "vitest", "vitest.mjs"), ...args], { cwd: checkout, env, stdio: ["ignore", "inherit", "inherit"] });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
