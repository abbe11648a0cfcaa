import { readFileSync } from "node:fs";

/** Put in by the build of the one-file client, which has no package.json beside it. */
declare const SLIPWAY_VERSION: string | undefined;

/** Version of the client. */
export function readVersion(): string {
  if (typeof SLIPWAY_VERSION === "string") return SLIPWAY_VERSION;
  return (JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string }).version;
}
