/** Finds and reads the site file that a command works on. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { SiteProps } from "./props.ts";
import { checkSite, SiteProblems, type SiteSettings } from "./settings.ts";

/** Absolute path of the site file: `SLIPWAY_SITE`, else `stacks/site.ts` of this checkout. */
export function siteFile(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env["SLIPWAY_SITE"];
  return chosen ? resolve(chosen) : fileURLToPath(new URL("site.ts", import.meta.url));
}

/**
 * Props of the site file, unchecked.
 *
 * @throws {SiteProblems} when there is no such file or it has no default export; what the file itself throws passes through.
 */
export async function loadProps(file: string = siteFile()): Promise<SiteProps> {
  if (!existsSync(file)) {
    throw new SiteProblems([{ path: "", what: "no such site file", got: file, fix: "name an existing file in SLIPWAY_SITE, or unset it for stacks/site.ts" }]);
  }
  const module = (await import(pathToFileURL(file).href)) as { readonly default?: SiteProps };
  if (module.default !== undefined) return module.default;
  throw new SiteProblems([{ path: "", what: "the site file has no default export", got: file, fix: "end it with export default site" }]);
}

/**
 * Settings of the site file, checked.
 *
 * @throws {SiteProblems} with everything that is wrong.
 */
export async function loadSite(file: string = siteFile()): Promise<SiteSettings> {
  return checkSite(await loadProps(file));
}
