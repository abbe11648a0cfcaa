import { describe, expect, it } from "vitest";
import { contestants } from "../../bench/contestants/all.ts";
import { keyOf } from "../../bench/contestant.ts";
import { speedNotes, speedRows, speedTable } from "../../bench/summary/speed.ts";
import type { SpeedReport, SpeedResult } from "../../bench/suites/speed.ts";
import { textTable } from "../../bench/table.ts";
import { measureOf, TARGETS } from "../../bench/targets.ts";

const result = (group: string, name: string, ...seconds: number[]): SpeedResult => ({
  group, name, runs: seconds.map((one, round) => ({ round, seconds: one, cpuSeconds: one / 2 })),
});
const report = (...results: SpeedResult[]): SpeedReport => ({ suite: "speed", sizeBytes: 2 * 1024 ** 3, results });

describe("targets of the benchmark", () => {
  it("are about contestants that there are", () => {
    const keys = contestants.map(keyOf);
    expect(new Set(keys).size).toBe(keys.length);
    expect(TARGETS.flatMap(({ contestant, yardstick }) => [contestant, yardstick]).filter((key) => !keys.includes(key))).toEqual([]);
  });

  it("give each contestant one measure", () => {
    expect(new Set(TARGETS.map(({ contestant }) => contestant)).size).toBe(TARGETS.length);
    expect(measureOf("http/ours form sha256")).toMatchObject({ yardstick: "http/sink sha256", atMost: 0.95 });
    expect(measureOf("http/Koa + busboy")).toEqual({ yardstick: "http/sink", atMost: undefined });
    expect(measureOf("http/sink")).toBeUndefined();
  });

  it("are held against medians without the first round", () => {
    const rows = speedRows(report(result("http", "sink", 9, 1, 2, 1.5), result("http", "ours form", 0.1, 1.6, 1.7, 1.65), result("http", "ours raw", 1, 1.6, 1.9, 1.8)));
    expect(rows).toMatchObject([
      { name: "sink", seconds: 1.5, least: 1, most: 2, cpuSecondsPerGib: 0.375 },
      { name: "ours form", seconds: 1.65, atMost: 1.1, met: true },
      { name: "ours raw", seconds: 1.8, yardstick: "http/ours form", met: false },
    ]);
    expect(rows[0]).not.toHaveProperty("ratio");
    expect(rows[1]!.ratio).toBeCloseTo(1.1);
    expect(rows[1]!.gibPerSecond).toBeCloseTo(2 / 1.65);
  });

  it("are open where the yardstick was not measured", () => {
    const [row] = speedRows(report(result("tls", "ours form", 1)));
    expect(row).toMatchObject({ atMost: 1.05 });
    expect(row).not.toHaveProperty("met");
  });

  it("leave out who failed or could not take part, and say why", () => {
    const one = report(
      { ...result("http", "sink", 1, 1), failed: "curl: status 500" },
      { group: "http", name: "ours raw", runs: [], notAvailable: 'unknown directive "upload_raw"' },
      result("h2", "ours form", 1),
      result("http", "ours form", 1),
    );
    expect(speedRows(one).map(keyOf)).toEqual(["http/ours form", "h2/ours form"]);
    expect(speedNotes(one)).toEqual(["FAILED http/sink: curl: status 500", 'NOT AVAILABLE http/ours raw: unknown directive "upload_raw"']);
  });

  it("stand in the table", () => {
    const text = textTable(speedTable(report(result("http", "sink", 1), result("http", "ours form", 1.2))));
    expect(text).toBe(
      [
        "group  contestant  seconds      min-max  GiB/s  CPU s/GiB  ratio  to     target  verdict",
        "-----  ----------  -------  -----------  -----  ---------  -----  ----  -------  -------",
        "http   sink          1.000  1.000-1.000   2.00       0.25",
        "http   ours form     1.200  1.200-1.200   1.67       0.30   1.20  sink  <= 1.10  NOT MET",
        "",
      ].join("\n"),
    );
  });
});
