import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What can be made again at any time, outside the checkout (XDG Base Directory Specification). */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  const base = env["XDG_CACHE_HOME"];
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), ".cache"), "slipway");
}

/** Terraform's implied mirror, which it reads without any configuration. */
export function pluginMirror(env: NodeJS.ProcessEnv = process.env): string {
  const base = env["XDG_DATA_HOME"];
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), ".local", "share"), "terraform", "plugins");
}
