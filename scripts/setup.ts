import { parseArgs } from "node:util";
import { loadSite } from "../stacks/load-site.ts";
import { stderrLog } from "./core/log.ts";
import { thisMachine } from "./core/machine.ts";
import { runMain } from "./core/main.ts";
import { dockerSteps, localSteps } from "./steps/all.ts";
import { runSteps } from "./steps/step.ts";

/** `npm run setup [-- --local | --tests]`: everything that a deployment, the local placement or the tests need. */
await runMain(async () => {
  const { values } = parseArgs({ options: { local: { type: "boolean", default: false }, tests: { type: "boolean", default: false } } });
  const machine = thisMachine();
  const steps = values.local ? localSteps(machine) : await dockerSteps(machine, await loadSite(), values.tests);
  await runSteps(steps, stderrLog);
});
