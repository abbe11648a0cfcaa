import { existsSync, readFileSync } from "node:fs";

/** The bundle has its package.json beside it, the checkout has it above app/. */
const places = ["./package.json", "../package.json"].map((path) => new URL(path, import.meta.url));

function readVersion(): string {
  const place = places.find((path) => existsSync(path));
  if (place === undefined) throw new Error("package.json: not found beside the service; copy the whole bundle");
  const { version } = JSON.parse(readFileSync(place, "utf8")) as { version: string };
  return version;
}

/** Version of the service. */
export const version: string = readVersion();
