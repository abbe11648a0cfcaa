import { describe, expect, it } from "vitest";
import { contestants } from "../../bench/contestants/all.ts";
import { rivals } from "../../bench/contestants/rivals.ts";
import { keyOf } from "../../bench/contestant.ts";
import { speedNotes, speedRows, speedTable } from "../../bench/summary/speed.ts";
import type { SpeedReport, SpeedResult } from "../../bench/suites/speed.ts";
import { textTable } from "../../bench/table.ts";
import { isClose, measuresOf, TARGETS } from "../../bench/targets.ts";

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

  it("are the measures of a contestant that has some, else there is the usual one", () => {
    expect(new Set(TARGETS.map(({ contestant, yardstick }) => `${contestant} ${yardstick}`)).size).toBe(TARGETS.length);
    expect(measuresOf("http/ours form sha256")).toEqual([{ contestant: "http/ours form sha256", yardstick: "http/sink sha256", atMost: 0.95 }]);
    expect(measuresOf("http/Koa + busboy")).toEqual([{ yardstick: "http/sink", atMost: undefined }]);
    expect(measuresOf("http/sink")).toEqual([]);
  });

  it.each(["tls", "h2"])("hold a form over %s against nginx with a form and with a body", (group) => {
    const rows = speedRows(report(result(group, "nginx body to file", 1), result(group, "nginx form to file", 2), result(group, "ours form", 1.5)));
    expect(rows.filter(({ name }) => name === "ours form")).toMatchObject([
      { seconds: 1.5, yardstick: `${group}/nginx form to file`, ratio: 0.75, atMost: 1.05, met: true },
      { seconds: 1.5, yardstick: `${group}/nginx body to file`, ratio: 1.5, atMost: 1.05, met: false },
    ]);
  });

  it("hold a site against each of the rivals, who must not be faster", () => {
    const others = rivals.map(({ group, name }, i) => result(group, name, 1 + i / 10));
    const rows = speedRows(report(...others, result("tls", "site tus", 1.05))).filter(({ name, yardstick }) => name === "site tus" && yardstick !== "tls/site PUT");
    expect(rows.map(({ yardstick, atMost, met }) => [yardstick, atMost, met])).toEqual(rivals.map((rival, i) => [keyOf(rival), 1, i > 0]));
  });

  it("are of contestants whose close races are run many times, but not of other people's servers", () => {
    const close = contestants.map(keyOf).filter(isClose);
    expect(close).toEqual(expect.arrayContaining(["http/sink", "http/ours raw", "tls/nginx form to file", "h2/ours form", "tls/site PUT", "tls/site tus"]));
    expect(close.filter((key) => /Koa|tusd|@tus|copyparty|64k|crc32 sync/.test(key))).toEqual([]);
  });

  it("are held against the median of the ratios of each round", () => {
    const times = [9, 1, 2, 4, 8, 16];
    const rows = speedRows(report(result("http", "sink", ...times), result("http", "ours form", 1, ...[1.3, 1, 1.05, 0.9, 1.2].map((ratio, i) => ratio * times[i + 1]!))));
    expect(rows[1]).toMatchObject({ ratio: 1.05, met: true });
    expect(rows[1]!.interval!.map((end) => end.toFixed(3))).toEqual(["0.900", "1.300"]);
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
    const [row] = speedRows(report(result("tls", "ours raw", 1)));
    expect(row).toMatchObject({ yardstick: "tls/nginx body to file", atMost: 1.05 });
    expect(row).not.toHaveProperty("met");
  });

  it("leave out who failed or could not take part, and say why", () => {
    const one = report(
      { ...result("http", "sink", 1, 1), failed: "curl: status 500" },
      { group: "http", name: "ours raw", runs: [], notAvailable: 'unknown directive "upload_raw"' },
      result("h2", "ours raw", 1),
      result("http", "ours form", 1),
    );
    expect(speedRows(one).map(keyOf)).toEqual(["http/ours form", "h2/ours raw"]);
    expect(speedNotes(one)).toEqual(["FAILED http/sink: curl: status 500", 'NOT AVAILABLE http/ours raw: unknown directive "upload_raw"']);
  });

  it("stand in the table", () => {
    const text = textTable(speedTable(report(result("http", "sink", 1), result("http", "ours form", 1.2))));
    expect(text).toBe(
      [
        "group  contestant  seconds      min-max  GiB/s  CPU s/GiB  ratio  interval  to     target  verdict",
        "-----  ----------  -------  -----------  -----  ---------  -----  --------  ----  -------  -------",
        "http   sink          1.000  1.000-1.000   2.00       0.25",
        "http   ours form     1.200  1.200-1.200   1.67       0.30   1.20            sink  <= 1.10  NOT MET",
        "",
      ].join("\n"),
    );
  });

  it("stand in the table once more for each further yardstick, without the numbers again", () => {
    const text = textTable(speedTable(report(result("h2", "nginx body to file", 1), result("h2", "nginx form to file", 2), result("h2", "ours form", 1.5))));
    expect(text.split("\n").slice(-3)).toEqual([
      "h2     ours form             1.500  1.500-1.500   1.33       0.38   0.75            nginx form to file  <= 1.05  met",
      "h2     ours form                                                    1.50            nginx body to file  <= 1.05  NOT MET",
      "",
    ]);
  });
});
