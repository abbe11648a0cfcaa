import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { suggest } from "../lib/suggest.ts";
import { Problem } from "../scripts/core/problem.ts";
import { type Group, GROUPS } from "./contestant.ts";

export const SUITES = ["speed", "close", "scale", "growth", "link", "files"] as const;
export type Suite = (typeof SUITES)[number];

/** What the benchmark was asked to do. */
export interface BenchOptions {
  readonly suite: Suite;
  /** Bytes of the input; what it means to a suite stands in {@link USAGE}. */
  readonly sizeBytes: number;
  readonly rounds: number;
  readonly only: RegExp;
  readonly groups: readonly Group[];
  /** Where the folder of input and stores is made. */
  readonly dir: string;
  /** MiB of memory that the holder leaves alone; false: no holder. */
  readonly hold: number | false;
  /** Bytes of an upload where many large ones are sent at once; 0: none of these. */
  readonly eachBytes: number;
  /** Largest file, or number of parts, fields and ranges, whose cost is measured. */
  readonly maxSizeBytes: number;
  readonly maxCount: number;
  /** Where the report goes as JSON; undefined: nowhere. */
  readonly json: string | undefined;
  readonly writeDocs: boolean;
}

const MIB = 1024 * 1024;
const DEFAULT_SIZE_MIB: Readonly<Record<Suite, number>> = { speed: 2048, close: 512, scale: 256, growth: 0, link: 256, files: 0 };
/** Where a few percent decide, six rounds cannot tell. */
const DEFAULT_ROUNDS: Readonly<Partial<Record<Suite, number>>> = { close: 31 };

export const USAGE = `npm run bench -- [options]    measures the upload module beside other ways to take an upload

What to measure
  --suite speed      one upload at a time, ours and others side by side (default)
  --suite close      the same, smaller and many times: only who has a target that a few percent decide
  --suite scale      100 and 1,000 uploads at once: throughput, memory, and a small GET beside them
  --suite growth     time and memory against file size and the number of parts, fields and ranges
  --suite link       one file over a line of 1 Gb/s with 50 ms delay and 0.1 % loss, by several clients; as root
  --suite files      many small files from a folder, by several clients
  --only REGEX       only what matches, e.g. "sink|ours form" (names as in the table, with their group: "tls/ours form")
  --groups LIST      speed, close: of http,tls,h2 (default: all)

How much
  --size MIB         speed: the file (default 2048; close: 512); scale: all uploads together (default 256);
                     link: the file (default 256), a quarter where the sender takes losses for jams
  --rounds N         how often; the first is dropped when there are more (default 6; close: 31)
  --each MIB         scale: also 100 and 1,000 uploads of this size, as far as the disk allows; 0: not (default 64)
  --max-size MIB     growth: largest file (default 2048)
  --max-count N      growth: most parts, fields and ranges (default 10000); files: how many files (default 10000)

On which ground
  --dir DIR          input and stores go to a temporary folder in DIR (default /var/tmp); the file system is measured too
  --no-hold          does not hold the free memory; for a first look, not for numbers
  --leave MIB        memory that is not held (default 1536, and the input twice)

What to print
  --json FILE        the report with every single timing
  --write-docs       docs/benchmark/: the report, the charts and the page with all reports found there
  --help             this text

The table goes to stdout, progress to stderr. Exit code: 0, or 1 when an upload failed or did not arrive byte for
byte. A target that is not met does not change it. Nothing else should run on the machine meanwhile.`;

const FLAGS = {
  suite: { type: "string", default: "speed" },
  only: { type: "string", default: "" },
  groups: { type: "string", default: GROUPS.join(",") },
  size: { type: "string" },
  rounds: { type: "string" },
  each: { type: "string", default: "64" },
  "max-size": { type: "string", default: "2048" },
  "max-count": { type: "string", default: "10000" },
  dir: { type: "string" },
  "no-hold": { type: "boolean", default: false },
  leave: { type: "string" },
  json: { type: "string" },
  "write-docs": { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true }).values;
  } catch (error) {
    throw new Problem(`bench: ${(error as Error).message}; npm run bench -- --help lists all options`);
  }
}

/** Collects what is wrong with the values, so that all of it can be told at once. */
class Reader {
  readonly problems: string[] = [];

  number(flag: string, text: string, least: number): number {
    if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
    this.problems.push(`bench --${flag}: not a whole number from ${least} up, got "${text}"; write digits only`);
    return least;
  }

  oneOf<T extends string>(flag: string, text: string, allowed: readonly T[]): T {
    if (allowed.includes(text as T)) return text as T;
    const near = suggest(text, allowed);
    this.problems.push(`bench --${flag}: not known, got "${text}"; use ${allowed.join(", ")}${near === undefined ? "" : ` (did you mean ${near}?)`}`);
    return allowed[0]!;
  }

  regex(flag: string, text: string): RegExp {
    try {
      return new RegExp(text);
    } catch {
      this.problems.push(`bench --${flag}: not a regular expression, got "${text}"; escape ( ) [ ] + ? * with a backslash`);
      return new RegExp("");
    }
  }
}

/**
 * Reads the command line.
 * @param folder what relative paths belong to
 * @throws Problem with everything that is wrong with it
 */
export function parseOptions(args: readonly string[], folder: string = process.cwd()): BenchOptions | "help" {
  const values = parse(args);
  if (values.help) return "help";
  const reader = new Reader();
  const suite = reader.oneOf("suite", values.suite, SUITES);
  const sizeBytes = reader.number("size", values.size ?? `${DEFAULT_SIZE_MIB[suite]}`, values.size === undefined ? 0 : 1) * MIB;
  const options: BenchOptions = {
    suite,
    sizeBytes,
    rounds: reader.number("rounds", values.rounds ?? `${DEFAULT_ROUNDS[suite] ?? 6}`, 1),
    only: reader.regex("only", values.only),
    groups: [...new Set(values.groups.split(",").map((group) => reader.oneOf("groups", group, GROUPS)))],
    dir: values.dir === undefined ? defaultFolder() : resolve(folder, values.dir),
    hold: values["no-hold"] ? false : reader.number("leave", values.leave ?? `${1536 + (2 * sizeBytes) / MIB}`, 64),
    eachBytes: reader.number("each", values.each, 0) * MIB,
    maxSizeBytes: reader.number("max-size", values["max-size"], 1) * MIB,
    maxCount: reader.number("max-count", values["max-count"], 1),
    json: values.json === undefined ? undefined : resolve(folder, values.json),
    writeDocs: values["write-docs"],
  };
  if (reader.problems.length > 0) throw new Problem(reader.problems);
  return options;
}

/** /var/tmp is a disk where /tmp may be memory. */
function defaultFolder(): string {
  return process.platform === "linux" ? join("/var", "tmp") : tmpdir();
}
