import type { SiteContexts } from "../stacks/constructs/upload-site.ts";
import type { SiteSettings } from "../stacks/settings.ts";
import { nginxContext } from "./nginx/context.ts";
import { serviceContext } from "./service/context.ts";

/**
 * Build contexts of a site's images, read from the checkout.
 *
 * @throws {SiteProblems} when the module's source is not what the site's props say
 */
export async function siteContexts(settings: SiteSettings): Promise<SiteContexts> {
  return {
    nginx: nginxContext(settings),
    service: settings.application ? null : await serviceContext(settings),
  };
}
