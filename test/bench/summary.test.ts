import { describe, expect, it } from "vitest";
import { formatBytes, formatSeconds } from "../../bench/summary/format.ts";
import { growthTable } from "../../bench/summary/growth.ts";
import { latencyTable, loadRows } from "../../bench/summary/scale.ts";
import { type GrowthReport, steps } from "../../bench/suites/growth.ts";
import { type LoadResult, planLoads, type ScaleReport } from "../../bench/suites/scale.ts";
import { markdownTable } from "../../bench/table.ts";

const load = (uploads: number, seconds: number, peakBytes: number): LoadResult => ({
  uploads, bytesEach: 1_000_000 / uploads, buffer: "64k", digest: "none", runs: [{ round: 0, seconds, plainSeconds: 0.1, peakBytes }],
});
const scale = (report: Partial<ScaleReport>): ScaleReport => ({ suite: "scale", loads: [], latencies: [], leftOut: [], ...report });

describe("what the rounds come to", () => {
  it.each([
    [0, "0 B"],
    [65536, "64 KiB"],
    [1536 * 1024, "1.5 MiB"],
    [192 * 1024, "192 KiB"],
    [2 ** 35, "32 GiB"],
  ])("writes %d bytes", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [12.345, "12.35 s"],
    [0.0123, "12.3 ms"],
    [0.5, "500 ms"],
    [0.0000042, "4.2 us"],
  ])("writes %d seconds", (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  it("holds many uploads against one of the same total, and each one's memory against two buffers and 64 KiB", () => {
    const rows = loadRows(scale({ loads: [load(1, 1, 1), load(100, 1.1, 100 * 196608), load(1000, 2, 1000 * 196609)] }));
    expect(rows).toMatchObject([
      { ratio: undefined, throughputMet: undefined, memoryMet: undefined },
      { throughputMet: true, bytesPerUpload: 196608, allowedBytes: 196608, memoryMet: true },
      { ratio: 0.5, throughputMet: false, memoryMet: false },
    ]);
  });

  it("holds others against themselves, and has no targets for them", () => {
    const rival = "sink";
    const rows = loadRows(scale({ loads: [load(1, 1, 1), { ...load(1, 3, 1), rival }, { ...load(100, 6, 100), rival }] }));
    expect(rows[2]).toMatchObject({ ratio: 0.5, throughputMet: undefined, memoryMet: undefined });
  });

  it("plans the same total for one upload and for many", () => {
    const loads = planLoads(256 * 1024 ** 2, 64);
    const totals = loads.filter(({ buffer, digest, bytesEach, rival }) => rival === undefined && buffer === "1m" && digest === "sha256" && bytesEach > 64).map(({ uploads, bytesEach }) => uploads * bytesEach);
    expect(totals).toHaveLength(3);
    expect(new Set(totals).size).toBe(1);
    expect(loads.slice(-4).map(({ uploads, bytesEach }) => [uploads, bytesEach])).toEqual([[1, 6400], [100, 64], [1, 64000], [1000, 64]]);
    expect(planLoads(1000, 0)).toHaveLength(21);
  });

  it("has a target only for GETs beside uploads", () => {
    const runs = [{ round: 0, p50: 0.001, p99: 0.0151, most: 0.2 }];
    expect(latencyTable(scale({ latencies: [{ uploads: 0, gets: 2000, runs }, { uploads: 3, gets: 2000, runs }] })).rows).toEqual([
      ["0", "2,000", "1.00", "15.10", "200.00", "", ""],
      ["3", "2,000", "1.00", "15.10", "200.00", "p99 < 15", "NOT MET"],
    ]);
  });

  it("shows how a cost grows", () => {
    const point = (x: number, seconds: number) => ({ x, runs: [{ round: 0, seconds, peakBytes: 1024 }] });
    const report: GrowthReport = { suite: "growth", series: [{ axis: "parts", name: "files", points: [point(1, 0.001), { x: 5, runs: [], failed: "x" }, point(10, 0.1)] }] };
    expect(growthTable(report, "parts")).toEqual({
      head: ["what", "parts", "time", "time for each part", "exponent", "worker memory"],
      rows: [
        ["files", "1", "1 ms", "1 ms", "", "1 KiB"],
        ["files", "10", "100 ms", "10 ms", "2.00", "1 KiB"],
      ],
    });
    expect(growthTable(report, "size").rows).toEqual([]);
  });

  it("steps up to the last value", () => {
    expect(steps(1, 10, 2)).toEqual([1, 2, 4, 8, 10]);
    expect(steps(4, 4, 4)).toEqual([4]);
  });

  it("writes Markdown that no cell can break", () => {
    expect(markdownTable({ head: ["a", "b"], rows: [["x|y", "1"]] })).toBe("| a    | b |\n| ---- | --: |\n| x\\|y | 1 |\n");
  });
});
