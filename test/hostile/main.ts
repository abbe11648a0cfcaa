import { parseArgs } from "node:util";
import { runMain } from "../../scripts/core/main.ts";
import { hostileRun } from "./run.ts";

const usage = `usage: npm run test:hostile -- [--count N] [--seed N] [--from N] [--at-once N] [--plain] [--slow]
  --count N    hostile requests (default 100000)
  --seed N     of the random choices (default: of the time); a run with the same seed plays the same cases
  --from N     number of the first case; with --count 1 just that one
  --at-once N  connections at the same time (default 128)
  --plain      without the sanitizers: faster, and watches the memory of the workers
  --slow       on a disk that now and then takes its time`;

/** A whole number of the command line. @throws when it is none */
function number(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (!/^\d{1,9}$/.test(value)) throw new Error(`--${name}: not a whole number, got ${JSON.stringify(value)}; use for example --${name} 1000\n${usage}`);
  return Number(value);
}

/** Storms a real nginx with hostile requests and prints what came of it; exit code 0 only without a finding. */
await runMain(async () => {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { count: text, seed: text, from: text, "at-once": text, plain: { type: "boolean", default: false }, slow: { type: "boolean", default: false } } });
  const seed = number("seed", values.seed, Date.now() % 1_000_000);
  const count = number("count", values.count, 100_000);
  process.stdout.write(`seed ${seed}, ${count} cases, ${values.plain ? "plain module" : "module with sanitizers"}${values.slow ? ", slow disk" : ""}\n`);

  const began = Date.now();
  const report = await hostileRun({
    seed,
    count,
    from: number("from", values.from, 0),
    atOnce: number("at-once", values["at-once"], 128),
    sanitize: !values.plain,
    slowDisk: values.slow,
    progress: (done) => done % 5000 === 0 && process.stdout.write(`  ${done}, ${((Date.now() - began) / 1000).toFixed(0)} s\n`),
  });
  for (const [name, tally] of [...report.statuses].sort()) {
    process.stdout.write(`${name.padEnd(40)} ${[...tally].sort().map(([status, times]) => `${status}:${times}`).join(" ")}\n`);
  }
  const seconds = (Date.now() - began) / 1000;
  process.stdout.write(`${report.done} cases in ${seconds.toFixed(0)} s, ${report.uploads} uploads came to the target\n`);
  if (values.plain) process.stdout.write(`worker memory before and after each third: ${report.memory.map((bytes) => `${Math.round(bytes / 1024)} KiB`).join(", ")}\n`);
  for (const finding of report.findings) process.stdout.write(`FOUND ${finding}\n`);
  process.stdout.write(`${report.findings.length} findings, seed ${seed}\n`);
  if (report.findings.length > 0) {
    process.stdout.write(`one case alone: npm run test:hostile -- --seed ${seed} --from NUMBER --count 1${values.plain ? " --plain" : ""}${values.slow ? " --slow" : ""}; all: the same without --from, --count ${count}\n`);
  }
  return report.findings.length === 0 ? 0 : 1;
});
