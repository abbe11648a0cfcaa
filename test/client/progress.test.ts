import { describe, expect, it } from "vitest";
import { Progress } from "../../client/report/progress.ts";
import type { Source } from "../../client/report/report.ts";

const GiB = 1024 ** 3;
const source = (argument: string, size: number | undefined = 4 * GiB): Source => ({ argument, name: argument, size });

describe("the lines of progress", () => {
  it("tell share, speed and what is left", () => {
    const progress = new Progress(1, 4 * GiB, 0);
    progress.progress(source("run.h5"), GiB);
    expect(progress.lines(100, 2_000)).toEqual([
      `[${"=".repeat(10)}>${" ".repeat(29)}]  25%  1.0 GiB of 4.0 GiB, 512 MiB/s, 6 s left`,
      "  run.h5   25% of 4.0 GiB",
    ]);
  });

  it("tell the files that are done, and few of those under way", () => {
    const progress = new Progress(100, 100 * 4 * GiB, 0);
    const first = source("first");
    progress.progress(first, 4 * GiB);
    progress.ended(first, 4 * GiB);
    for (let i = 0; i < 8; i++) progress.progress(source(`file-${i}`), 0);
    const lines = progress.lines(80, 1_000);
    expect(lines).toHaveLength(7);
    expect(lines[0]).toContain("  1%  4.0 GiB of 400 GiB");
    expect(lines[1]).toBe("  1 of 100 files");
    expect(lines.at(-1)).toBe("  and 4 more");
  });

  it("tell the speed of the last seconds", () => {
    const progress = new Progress(1, 100 * GiB, 0);
    const file = source("x", 100 * GiB);
    for (let second = 1; second <= 10; second++) {
      progress.progress(file, second * GiB);
      progress.lines(100, second * 1000);
    }
    for (let second = 11; second <= 17; second++) progress.lines(100, second * 1000);
    expect(progress.lines(100, 18_000)[0]).toContain("10.0 GiB of 100 GiB, 0 B/s");
  });

  it("count what an earlier run sent as done, and not as speed", () => {
    const progress = new Progress(2, 8 * GiB, 0);
    const file = source("run.h5");
    progress.resumed(file, 3 * GiB);
    expect(progress.lines(100, 500)[0]).toContain(" 37%  3.0 GiB of 8.0 GiB, 0 B/s");
    progress.progress(file, 3.5 * GiB);
    expect(progress.lines(100, 1_000)[0]).toContain("3.5 GiB of 8.0 GiB, 512 MiB/s, 9 s left");
    progress.ended(file, 4 * GiB);
    expect(progress.lines(100, 2_000)[0]).toContain("4.0 GiB of 8.0 GiB, 512 MiB/s");
  });

  it("know no share of what has no end", () => {
    const progress = new Progress(1, undefined, 0);
    progress.progress(source("data.tar", undefined), GiB);
    expect(progress.lines(100, 1_000)[0]).toBe("1.0 GiB, 1.0 GiB/s");
  });

  it.each([1, 10, 30, 60, 200])("fit into %d columns, whatever the name", (columns) => {
    const progress = new Progress(2, 4 * GiB, 0);
    progress.progress(source("x/".repeat(300)), GiB);
    progress.progress(source("資料".repeat(100)), GiB);
    progress.progress(source("\u001b[31mred\u202E"), GiB);
    for (const line of progress.lines(columns, 2_000)) {
      expect([...line].reduce((sum, character) => sum + (character >= "\u1100" ? 2 : 1), 0)).toBeLessThanOrEqual(Math.max(1, columns - 1));
      expect(line).not.toContain("\u001b");
    }
  });
});
