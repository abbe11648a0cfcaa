import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadSite } from "../stacks/load-site.ts";
import { renderNginx } from "../stacks/nginx/render.ts";
import { dockerPlacement, localPlacement, type Placement } from "../stacks/placement.ts";
import type { SiteSettings } from "../stacks/settings.ts";
import { runMain } from "./core/main.ts";
import { checkout } from "./core/paths.ts";
import { Problem } from "./core/problem.ts";

/** Paths and ports as `npm run local` chooses them, with those it only knows at run time at their likeliest. */
function likelyLocal(settings: SiteSettings): Placement {
  const root = join(checkout, ".slipway", settings.name);
  const modulePath = join(root, "ngx_http_upload_module.so");
  return localPlacement(settings, { root, modulePath, nginxVersion: "1.26.3", httpsPort: 8443, httpPort: null, servicePort: 8080, user: null });
}

const placements: Readonly<Record<string, (settings: SiteSettings) => Placement>> = { docker: dockerPlacement, local: likelyLocal };

/** `npm run -s render [-- --placement docker|local]`: prints the nginx.conf of the site. */
await runMain(async () => {
  const { values } = parseArgs({ options: { placement: { type: "string", default: "docker" } } });
  const placementOf = Object.hasOwn(placements, values.placement) ? placements[values.placement] : undefined;
  if (placementOf === undefined) throw new Problem(`--placement: unknown, got "${values.placement}"; use docker or local`);
  const settings = await loadSite();
  process.stdout.write(renderNginx(settings, placementOf(settings)));
});
