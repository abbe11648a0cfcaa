import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { Cleanup } from "../../bench/cleanup.ts";
import { linkCharts } from "../../bench/docs/link-charts.ts";
import { ADDRESS, type Link, LINK, startLink } from "../../bench/link.ts";
import type { LinkReport, LinkResult } from "../../bench/suites/link.ts";
import { linkCheckTable, linkNotes, linkRows, linkTable } from "../../bench/summary/link.ts";
import { run } from "../../scripts/core/run.ts";
import { bestOf, leastOf } from "../helpers/steady.ts";

/** Sends datagrams to nobody, which the link carries all the same: a loss is not made up for by a retry. */
const DATAGRAMS = `import socket,time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(20000):
    s.sendto(b"x" * 100, ("${ADDRESS.server}", 9))
    if i % 50 == 49: time.sleep(0.001)
time.sleep(0.1)`;

const LISTENER = `import socket,sys
s = socket.socket(); s.bind(("${ADDRESS.server}", 9000)); s.listen()
print("listens", flush=True)
while True: s.accept()[0].close()`;

const mayLink = process.getuid?.() === 0 && existsSync("/dev/net/tun");

describe.skipIf(!mayLink)("the link", () => {
  let cleanup: Cleanup;
  afterEach(() => cleanup.run());

  /** What a link that stands still for a while does not read in time its device drops: then all are sent once more. */
  const lostOf = (link: Link, seed: number): Promise<{ lost: number; passed: number }> =>
    bestOf(({ lost, passed }) => lost + passed >= 20_000, async () => {
      await link.lose(LINK.lossPpm * 10, seed);
      const sent = await run(link.at("client", ["python3", "-c", DATAGRAMS]));
      expect(sent.stderr).toBe("");
      return link.stats();
    });

  it("loses as many packets as it is told, the same ones for a seed", async () => {
    cleanup = new Cleanup();
    const link = await startLink(cleanup);
    const first = await lostOf(link, 1);
    expect(first.passed + first.lost).toBeGreaterThanOrEqual(20_000);
    expect(first.lost).toBeGreaterThan(120);
    expect(first.lost).toBeLessThan(280);
    // The kernel answers some datagrams with ICMP, which takes its own share of the other direction's sequence.
    expect(Math.abs((await lostOf(link, 1)).lost - first.lost)).toBeLessThan(10);
  });

  it("delays by its round trip, and its namespaces end with it", async () => {
    cleanup = new Cleanup();
    const link = await startLink(cleanup);
    const [program, ...args] = link.at("server", ["python3", "-c", LISTENER]);
    const listener = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    cleanup.add(() => void listener.kill("SIGKILL"));
    await once(listener.stdout, "data");
    const connected = async (): Promise<number> => {
      const { stdout } = await run(link.at("client", ["curl", "-s", "-o", "/dev/null", "-w", "%{time_connect}", `http://${ADDRESS.server}:9000/`]));
      expect(Number(stdout)).toBeGreaterThanOrEqual(LINK.roundTripMs / 1000);
      return Number(stdout);
    };
    expect(await leastOf(0.5, connected)).toBeLessThan(0.5);
    const entered = link.at("client", ["true"]);
    expect((await run(entered)).ok).toBe(true);
    await cleanup.run();
    await expect.poll(async () => (await run(entered)).ok, { timeout: 30_000 }).toBe(false);
  });
});

const result = (congestion: "cubic" | "bbr", tool: string, streams: number, ...seconds: number[]): LinkResult => ({
  congestion, tool, streams, bytes: 1e6, runs: seconds.map((one, round) => ({ round, seconds: one, passed: 998, lost: 1, dropped: 1 })),
});

const report = (...results: LinkResult[]): LinkReport => ({
  suite: "link", link: LINK, results, buffers: { send: "1 2 3", receive: "4 5 6" },
  checks: [{ congestion: "bbr", lossPpm: 1000, bytes: 2 ** 20, seconds: 2 ** 20 / 1e6, roundTripSeconds: 0.0504, passed: 999, lost: 1, dropped: 0 }],
});

describe("what the clients come to over the link", () => {
  it("compares each with the first of its sender, all rounds counted", () => {
    const rows = linkRows(report(result("cubic", "curl -T", 1, 8, 8), result("cubic", "slipway push", 8, 1, 3), result("bbr", "curl -T", 1, 4), result("bbr", "slipway push", 8, 1)));
    expect(rows.map(({ megabits, ratio }) => [megabits, ratio])).toEqual([[1, 1], [4, 4], [2, 1], [8, 4]]);
    expect(rows[1]).toMatchObject({ least: 1, most: 3, lostShare: 0.001, droppedShare: 0.001 });
  });

  it("stands in tables, and says what failed", () => {
    const one = report(result("bbr", "slipway push", 8, 1), { ...result("bbr", "curl -T", 1), failed: "no way" });
    expect(linkTable(one).rows).toEqual([["bbr", "slipway push, 8 streams", "977 KiB", "1.00", "1.00-1.00", "8.0", "1.00", "0.10 %", "0.10 %"]]);
    expect(linkCheckTable(one).rows).toEqual([["bbr", "0.10 %", "0.10 %", "0.00 %", "50.4 ms", "1 MiB", "8.0"]]);
    expect(linkNotes(one)).toEqual(["FAILED bbr/curl -T: no way"]);
  });

  it("is a chart for each sender that was measured, with a line for each client", () => {
    const charts = linkCharts(report(result("bbr", "slipway push", 1, 4), result("bbr", "slipway push", 8, 1), result("bbr", "curl -T", 1, 4)));
    expect(charts.map(({ file }) => file)).toEqual(["link-bbr.svg"]);
    expect(charts[0]!.svg.match(/<polyline/g)).toHaveLength(2);
    expect(charts[0]!.svg).toContain(">slipway push</text>");
  });
});
