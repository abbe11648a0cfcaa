import { loadSite } from "../stacks/load-site.ts";
import { thisMachine } from "./core/machine.ts";
import { runMain } from "./core/main.ts";
import { formatFinding } from "./doctor/check.ts";
import { runChecks } from "./doctor/list.ts";
import { readStatus } from "./deploy/status.ts";

/** `npm run doctor`: what is well with the host and the site, what is not, and what to do. Exit code 1 when a check fails. */
await runMain(async () => {
  const machine = thisMachine();
  const settings = await loadSite();
  const findings = await runChecks({ machine, settings, status: await readStatus(machine, settings) });
  for (const [name, finding] of findings) process.stdout.write(`${formatFinding(name, finding)}\n`);
  return findings.some(([, { level }]) => level === "fail") ? 1 : 0;
});
