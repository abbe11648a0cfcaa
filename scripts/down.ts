import { parseArgs } from "node:util";
import { question } from "zx";
import { loadSite } from "../stacks/load-site.ts";
import { stderrLog } from "./core/log.ts";
import { thisMachine } from "./core/machine.ts";
import { runMain } from "./core/main.ts";
import { Problem } from "./core/problem.ts";
import { dataPlaces, deleteDataStep, destroyStep, isDeployed, stopLocalStep, type DataPlace } from "./deploy/remove.ts";
import { dockerStep } from "./steps/docker.ts";
import { providerStep } from "./steps/provider.ts";
import { runSteps } from "./steps/step.ts";
import { terraformStep } from "./steps/terraform.ts";

const USAGE = `npm run down -- [options]    stops and removes the site; the data stays
  --delete-data   deletes every upload and record too, after asking
  --yes           does not ask`;

/** Asks the person who typed the command; without one there, only --yes is an answer. */
async function confirm(places: readonly DataPlace[], yes: boolean): Promise<void> {
  const list = places.map(({ text }) => `  ${text}`).join("\n");
  process.stderr.write(`--delete-data deletes for good:\n${list}\n`);
  if (yes) return;
  if (!process.stdin.isTTY) throw new Problem("--delete-data: nobody is there to confirm; add --yes");
  const answer = await question('Type "delete" to go on: ');
  if (answer.trim() !== "delete") throw new Problem("--delete-data: not confirmed; nothing was stopped or deleted");
}

/** `npm run down`. */
await runMain(async () => {
  const { values } = parseArgs({
    options: { "delete-data": { type: "boolean", default: false }, yes: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
  });
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  const machine = thisMachine();
  const settings = await loadSite();
  const deployed = isDeployed(settings);
  const engine = deployed ? [providerStep(machine), terraformStep(machine), dockerStep(machine)] : [];
  const places = values["delete-data"] ? await dataPlaces(machine, settings) : [];
  if (places.length > 0) await confirm(places, values.yes);
  const deletion = places.length > 0 ? [deleteDataStep(settings, places)] : [];
  await runSteps([stopLocalStep(settings), ...engine, destroyStep(machine, settings), ...deletion], stderrLog);
  if (values["delete-data"] && places.length === 0) stderrLog({ kind: "found", name: "data", text: "there is none", ms: 0 });
  if (!values["delete-data"]) stderrLog({ kind: "found", name: "data", text: "kept; npm run up finds it again", ms: 0 });
});
