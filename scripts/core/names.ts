import { isIP } from "node:net";
import type { SiteSettings } from "../../stacks/settings.ts";

const ANY_ADDRESS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);
const LOOPBACK_NAMES = ["localhost", "127.0.0.1"] as const;

/** Names and addresses that the site's own certificate must hold. */
export function certificateNames(settings: SiteSettings): readonly string[] {
  const { address } = settings.listen;
  return [...new Set([...settings.serverNames, ...(ANY_ADDRESS.has(address) ? [] : [address]), ...LOOPBACK_NAMES])];
}

/** The name that the commands ask the site by: its first one, a wildcard filled in. */
export const siteHost = (settings: SiteSettings): string => (settings.serverNames[0] ?? "localhost").replace(/^\*\./, "probe.");

/** The address that the commands connect to, whatever the name resolves to elsewhere. */
export function connectAddress(settings: SiteSettings): string {
  const { address } = settings.listen;
  if (address === "0.0.0.0") return "127.0.0.1";
  return address === "::" ? "::1" : address;
}

/** Address of the site for a person; the port is left out where it is the usual one. */
export function siteUrl(host: string, httpsPort: number): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return `https://${name}${httpsPort === 443 ? "" : `:${httpsPort}`}`;
}
