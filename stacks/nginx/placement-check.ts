/**
 * Checks a placement's values before they are written into nginx.conf. They come from code, not from a site's props,
 * but a checkout's or a temporary folder's name is whatever its owner chose.
 */

import type { Placement } from "../placement.ts";

// Written between double quotes, so a space is harmless; a quote, a backslash, `$` and a line break are not.
const PATH = /^(?:\/[A-Za-z0-9_@~+=,:. -]+)+$/;
const LISTEN = /^(?:(?:\[[0-9A-Fa-f:.]+\]|[0-9.]+):)?[1-9][0-9]{0,4}$/;
const ADDRESS = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]*):[1-9][0-9]{0,4}$/;

/** @throws {Error} naming every value that cannot stand in nginx.conf. */
export function checkPlacement(placement: Placement): void {
  const paths = ["modulePath", "pidPath", "tempDir", "accessLog", "store", "certificate", "key", "secretConf", "errorPages"] as const;
  const checks: readonly (readonly [name: string, value: string | null, pattern: RegExp])[] = [
    ...paths.map((name) => [name, placement[name], PATH] as const),
    ["errorLog", placement.errorLog, placement.errorLog === "stderr" ? /^/ : PATH],
    ["httpsListen", placement.httpsListen, LISTEN],
    ["httpListen", placement.httpListen, LISTEN],
    ["healthListen", placement.healthListen, LISTEN],
    ["service.address", placement.service.address, ADDRESS],
    ["resolver", placement.resolver, /^[0-9A-Fa-f.:[\]]+$/],
    ["user", placement.user, /^[A-Za-z_][A-Za-z0-9_-]*$/],
    ["nginxVersion", placement.nginxVersion, /^[0-9]+\.[0-9]+\.[0-9]+$/],
  ];
  const wrong = checks.filter(([, value, pattern]) => value !== null && !pattern.test(value));
  if (wrong.length === 0) return;
  throw new Error(wrong.map(([name, value]) => `placement.${name}: cannot stand in nginx.conf, got ${JSON.stringify(value)}; use a name without quotes, $, ; { } or line breaks`).join("\n"));
}
