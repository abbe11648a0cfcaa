import { relative } from "node:path";

/** The parts of vitest's JSON report that are read here. */
export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Counts tests. A file that could not be loaded has no tests, but is a failure; so is a run that failed for any
 * other reason (an unhandled error, say) though every test passed.
 */
export function countTests(report: VitestReport, runSucceeded: boolean): TestCounts {
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const passed = tests.filter(({ status }) => status === "passed").length;
  const brokenFiles = report.testResults.filter(({ status, assertionResults }) => status === "failed" && !assertionResults.some((test) => test.status === "failed"));
  const failed = tests.filter(({ status }) => status === "failed").length + brokenFiles.length;
  return { passed, failed: failed === 0 && !runSucceeded ? 1 : failed, skipped: tests.length - passed - tests.filter(({ status }) => status === "failed").length };
}

export const closingLine = ({ passed, failed, skipped }: TestCounts): string => `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** What was skipped, by file; a title says why. Tests of one group that share its reason are one line. */
export function skippedList(report: VitestReport, folder: string): string {
  const lines = report.testResults.flatMap(({ name, assertionResults }) => {
    const skipped = assertionResults.filter(({ status }) => status !== "passed" && status !== "failed");
    if (skipped.length === 0) return [];
    const reasons = new Set(skipped.map(({ fullName }) => fullName.match(/skipped[,:].*?(?=$| {2})/)?.[0] ?? fullName));
    const shown = [...reasons].slice(0, 3).map((reason) => `    ${reason}`);
    return [`  ${relative(folder, name)}: ${skipped.length}`, ...shown];
  });
  return lines.length === 0 ? "" : `SKIPPED on this machine:\n${lines.join("\n")}\n\n`;
}
