import { parseArgs } from "node:util";
import { loadSite } from "../stacks/load-site.ts";
import { engineVersion } from "./commands/docker.ts";
import { elapsed, stderrLog } from "./core/log.ts";
import { thisMachine } from "./core/machine.ts";
import { runMain } from "./core/main.ts";
import { Problem, problemsOf } from "./core/problem.ts";
import { deployToDocker } from "./deploy/docker.ts";
import { deployLocally } from "./deploy/local.ts";
import { summary } from "./deploy/summary.ts";

const USAGE = `npm run up -- [options]    brings the site up and tries it; run it again after every change
  --placement docker|local   docker: containers; local: processes of this host
                             (default: docker, or local where there is no way to a Docker engine)`;

/** `npm run up`. */
await runMain(async () => {
  const { values } = parseArgs({ options: { placement: { type: "string" }, help: { type: "boolean", short: "h", default: false } } });
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  const { placement } = values;
  if (placement !== undefined && placement !== "docker" && placement !== "local") {
    throw new Problem(`--placement: neither docker nor local, got "${placement}"; leave it out for docker where that is possible`);
  }
  const start = performance.now();
  const machine = thisMachine();
  const settings = await loadSite();
  const bring = async () => {
    if (placement === "local") return deployLocally(machine, settings, stderrLog);
    try {
      return await deployToDocker(machine, settings, stderrLog);
    } catch (error) {
      const hasEngine = (await machine.run(engineVersion())).ok;
      if (hasEngine || placement === "docker") throw error;
      for (const problem of problemsOf(error)) stderrLog({ kind: "warn", name: "docker", text: problem });
      stderrLog({ kind: "warn", name: "docker", text: "there is no way to a Docker engine here; the site runs as processes of this host instead" });
      return deployLocally(machine, settings, stderrLog);
    }
  };
  const target = await bring();
  process.stdout.write(`\n${settings.name} is up (${target.placement}), after ${elapsed(performance.now() - start)}\n${summary(target)}`);
});
