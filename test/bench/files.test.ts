import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compareFolder, writeFolder } from "../../bench/suites/files.ts";
import { filesNotes, filesTable } from "../../bench/summary/files.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-bench-files-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("many small files", () => {
  it("are compared each by its digest, whatever their names; what an earlier round left empty does not count", async () => {
    const expected = await writeFolder(folder, 150);
    await mkdir(join(folder, "earlier"));
    await writeFile(join(folder, "earlier", "0.bin"), "");
    await compareFolder(folder, expected);
    await writeFile(join(folder, "1", "120.bin"), Buffer.alloc(4096));
    await expect(compareFolder(folder, expected)).rejects.toThrow("not what was sent");
    await rm(join(folder, "1", "120.bin"));
    await expect(compareFolder(folder, expected)).rejects.toThrow("got 149 files, 150 were sent");
  });

  it("have other bytes in each round, in the same places", async () => {
    const [first, second] = [await writeFolder(folder, 3), await writeFolder(folder, 3)];
    expect(new Set([...first, ...second]).size).toBe(6);
    await compareFolder(folder, second);
  });

  it("stand in a table, beside the first", () => {
    const run = (round: number, seconds: number, cpuSeconds: number) => ({ round, seconds, cpuSeconds });
    const report = {
      suite: "files", count: 1000, bytesEach: 4096,
      results: [{ name: "curl", runs: [run(0, 9, 9), run(1, 4, 2)] }, { name: "push", runs: [run(0, 9, 9), run(1, 2, 3)] }, { name: "u2c", runs: [], failed: "gone" }],
    } as const;
    expect(filesTable(report).rows).toEqual([
      ["curl", "250", "4.00", "4.00-4.00", "2.00", "1.00"],
      ["push", "500", "2.00", "2.00-2.00", "3.00", "2.00"],
    ]);
    expect(filesNotes(report)).toEqual(["FAILED u2c: gone"]);
  });
});
