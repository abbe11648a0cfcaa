/**
 * Prints the nginx.conf of the site: `npm run -s render [-- --placement docker|local]`.
 * Problems go to stderr, with exit code 1.
 */

import { parseArgs } from "node:util";
import { loadSite } from "../stacks/load-site.ts";
import { renderNginx } from "../stacks/nginx/render.ts";
import { dockerPlacement, localPlacement } from "../stacks/placement.ts";
import { SiteProblems } from "../stacks/settings.ts";

const placements = { docker: dockerPlacement, local: localPlacement };

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { placement: { type: "string", default: "docker" } } });
  const chosen = placements[values.placement as keyof typeof placements];
  if (chosen === undefined) throw new SiteProblems([]);
  process.stdout.write(renderNginx(await loadSite(), chosen(await loadSite())));
}

await main();
