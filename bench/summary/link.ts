import { uploaderName } from "../contestants/uploaders.ts";
import { isWhole, noteOf } from "../rounds.ts";
import { median } from "../statistics.ts";
import { type LinkReport, type LinkResult, linkName } from "../suites/link.ts";
import type { Table } from "../table.ts";
import { formatBytes } from "./format.ts";

/** Megabits a second of so many bytes. */
const megabits = (bytes: number, seconds: number): number => (bytes * 8) / seconds / 1e6;

/** What the rounds of a client come to. */
export interface LinkRow {
  readonly congestion: string;
  readonly tool: string;
  readonly streams: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly least: number;
  readonly most: number;
  readonly megabits: number;
  /** Its speed in that of the first row with the same way to find the speed, curl's. */
  readonly ratio: number;
  /** Of all packets, those that the link lost, and those that its queue dropped. */
  readonly lostShare: number;
  readonly droppedShare: number;
}

function row(result: LinkResult, first: LinkResult): LinkRow {
  // All rounds count: the line is slower than any cold cache.
  const { runs } = result;
  const times = runs.map(({ seconds }) => seconds);
  const speed = (one: LinkResult): number => megabits(one.bytes, median(one.runs.map(({ seconds }) => seconds)));
  const sum = (of: (run: LinkResult["runs"][number]) => number): number => runs.reduce((total, run) => total + of(run), 0);
  const packets = sum(({ passed, lost, dropped }) => passed + lost + dropped);
  return {
    congestion: result.congestion, tool: result.tool, streams: result.streams, bytes: result.bytes,
    seconds: median(times), least: Math.min(...times), most: Math.max(...times),
    megabits: speed(result), ratio: speed(result) / speed(first),
    lostShare: sum(({ lost }) => lost) / packets, droppedShare: sum(({ dropped }) => dropped) / packets,
  };
}

/** A row for each client that was measured to the end. */
export function linkRows(report: LinkReport): LinkRow[] {
  const whole = report.results.filter(isWhole);
  return whole.map((result) => row(result, whole.find(({ congestion }) => congestion === result.congestion)!));
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

/** The clients as a table. */
export function linkTable(report: LinkReport): Table {
  return {
    head: ["sender", "client", "file", "seconds", "min-max", "Mb/s", "ratio", "lost", "dropped"],
    left: [0, 1],
    rows: linkRows(report).map((one) => [
      one.congestion,
      uploaderName(one),
      formatBytes(one.bytes),
      one.seconds.toFixed(2),
      `${one.least.toFixed(2)}-${one.most.toFixed(2)}`,
      one.megabits.toFixed(1),
      one.ratio.toFixed(2),
      percent(one.lostShare),
      percent(one.droppedShare),
    ]),
  };
}

/** What the link does to a bare TCP connection, as a table. */
export function linkCheckTable(report: LinkReport): Table {
  return {
    head: ["sender", "loss asked for", "lost", "dropped", "round trip", "file", "Mb/s"],
    rows: report.checks.map(({ congestion, lossPpm, lost, passed, dropped, roundTripSeconds, bytes, seconds }) => [
      congestion,
      percent(lossPpm / 1e6),
      percent(lost / (lost + passed + dropped)),
      percent(dropped / (lost + passed + dropped)),
      `${(roundTripSeconds * 1e3).toFixed(1)} ms`,
      formatBytes(bytes),
      megabits(bytes, seconds).toFixed(1),
    ]),
  };
}

/** A line for everyone who was not measured to the end, with the reason; the same reason in one line. */
export function linkNotes(report: LinkReport): string[] {
  return report.results.flatMap((result) => noteOf(linkName(result.congestion, result), result) ?? []);
}
