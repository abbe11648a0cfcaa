import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadSite } from "../stacks/load-site.ts";
import { renderNginx } from "../stacks/nginx/render.ts";
import { dockerPlacement, type Placement } from "../stacks/placement.ts";
import type { SiteSettings } from "../stacks/settings.ts";
import { thisMachine } from "./core/machine.ts";
import { runMain } from "./core/main.ts";
import { checkout } from "./core/paths.ts";
import { Problem } from "./core/problem.ts";
import { localLayout } from "./local/layout.ts";
import { nginxVersion } from "./local/programs.ts";
import { localPlacement } from "./local/site.ts";

/** As `npm run local` would run the site now; the ports that it chooses at each start are named by way of example. */
async function local(settings: SiteSettings): Promise<[SiteSettings, Placement]> {
  const there = { ...settings, listen: { ...settings.listen, httpsPort: 8443, httpPort: false as const } };
  const root = join(checkout, ".slipway", settings.name);
  return [there, localPlacement(localLayout(root, there), there, await nginxVersion(thisMachine(), "nginx"), 8080)];
}

/** `npm run -s render [-- --placement docker|local]`: prints the nginx.conf of the site. */
await runMain(async () => {
  const { values } = parseArgs({ options: { placement: { type: "string", default: "docker" } } });
  const { placement: wanted } = values;
  if (wanted !== "docker" && wanted !== "local") throw new Problem(`--placement: unknown, got "${wanted}"; use docker or local`);
  const settings = await loadSite();
  const [shown, placement] = wanted === "local" ? await local(settings) : [settings, dockerPlacement(settings)];
  process.stdout.write(renderNginx(shown, placement));
});
