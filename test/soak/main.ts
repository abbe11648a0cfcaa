import { parseArgs } from "node:util";
import { runMain } from "../../scripts/core/main.ts";
import { soak } from "./run.ts";

const usage = `usage: npm run test:soak -- [--sessions N] [--seconds N]
  --sessions N  uploads in progress at once (default 1000)
  --seconds N   how long each of them takes (default 600)`;

/** A whole number of the command line. @throws when it is none */
function number(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new Error(`--${name}: not a whole number, got ${JSON.stringify(value)}; use for example --${name} 100\n${usage}`);
  return Number(value);
}

const MiB = 1024 * 1024;

/** Holds many uploads open for a time, prints the memory of the site, and exits with 0 when it stayed and all came whole. */
await runMain(async () => {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { sessions: text, seconds: text } });
  const report = await soak({
    sessions: number("sessions", values.sessions, 1000),
    seconds: number("seconds", values.seconds, 600),
    sampled: ({ second, nginx, service, open }) =>
      process.stdout.write(`${String(second).padStart(5)} s  nginx ${(nginx / MiB).toFixed(1)} MiB  service ${(service / MiB).toFixed(1)} MiB  open ${open}\n`),
  });
  for (const finding of report.findings) process.stdout.write(`FOUND ${finding}\n`);
  process.stdout.write(`${report.whole} of ${report.sessions} uploads whole; memory from a third of the time to its end: nginx +${(report.growth.nginx / MiB).toFixed(1)} MiB, service +${(report.growth.service / MiB).toFixed(1)} MiB\n`);
  return report.findings.length === 0 ? 0 : 1;
});
