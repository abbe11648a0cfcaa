import { join } from "node:path";

/** Absolute path of the folder that holds a site's own secrets, certificate and state: `.slipway/<site name>` in the checkout. */
export function siteFolder(siteName: string): string {
  return join(import.meta.dirname, "..", ".slipway", siteName);
}
