import { describe, expect, it } from "vitest";
import { closingLine, countTests, skippedList, type VitestReport } from "../../scripts/core/test-report.ts";

const file = (name: string, status: string, ...tests: readonly (readonly [string, string])[]): VitestReport["testResults"][number] => ({
  name: `/r/test/${name}`, status, assertionResults: tests.map(([status, fullName]) => ({ status, fullName })),
});

describe("the end of npm test", () => {
  it("counts passed, failed and skipped", () => {
    const report = { testResults: [file("a", "passed", ["passed", "a"], ["pending", "b"], ["skipped", "c"]), file("b", "failed", ["failed", "d"], ["passed", "e"])] };
    expect(closingLine(countTests(report, false))).toBe("2 passed, 1 failed, 2 skipped");
  });

  it("counts a file that could not be loaded, and a run that failed for another reason, as failures", () => {
    expect(countTests({ testResults: [file("a", "failed")] }, false)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(countTests({ testResults: [file("a", "passed", ["passed", "x"])] }, false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
    expect(countTests({ testResults: [file("a", "passed", ["passed", "x"])] }, true)).toEqual({ passed: 1, failed: 0, skipped: 0 });
  });

  it("lists what was skipped with its reason, once for each", () => {
    const report = { testResults: [file("e2e/a.test.ts", "passed", ["skipped", "a site: skipped, no Docker engine first"], ["skipped", "odd one"], ["passed", "x"]), file("b", "passed", ["passed", "y"])] };
    expect(skippedList(report, "/r")).toBe("SKIPPED on this machine:\n  test/e2e/a.test.ts: 2\n    skipped, no Docker engine first\n    odd one\n\n");
    expect(skippedList({ testResults: [] }, "/r")).toBe("");
  });
});
