import { parseArgs } from "node:util";
import { loadSite } from "../stacks/load-site.ts";
import { thisMachine } from "./core/machine.ts";
import { runMain } from "./core/main.ts";
import { readStatus, statusText } from "./deploy/status.ts";

/** `npm run -s status [-- --json]`: exit code 0 only when the site is healthy. */
await runMain(async () => {
  const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
  const status = await readStatus(thisMachine(), await loadSite());
  process.stdout.write(values.json ? `${JSON.stringify(status, null, 2)}\n` : statusText(status));
  return status.healthy ? 0 : 1;
});
