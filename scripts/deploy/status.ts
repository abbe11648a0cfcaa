import { readFileSync } from "node:fs";
import { join } from "node:path";
import { databaseVolume } from "../../stacks/constructs/site-mounts.ts";
import type { SiteSettings } from "../../stacks/settings.ts";
import { engineVersion, volumeExists } from "../commands/docker.ts";
import { checkHealth } from "../core/health.ts";
import type { Machine } from "../core/machine.ts";
import { checkout } from "../core/paths.ts";
import { readLocalState } from "../local/state.ts";
import { PROVIDER_VERSION } from "../steps/provider.ts";
import { containersOf, type SiteContainer } from "./docker.ts";
import { dockerCaFile, hasService, targetOf } from "./target.ts";

/** Where a site is and how it is; what `npm run -s status -- --json` prints. */
export interface SiteStatus {
  readonly name: string;
  /** `null` when the site is not up. */
  readonly placement: "docker" | "local" | null;
  readonly url: string | null;
  /** PEM file of the CA to trust; `null` where the system's CAs do. */
  readonly ca: string | null;
  readonly healthy: boolean;
  /** What the health question came to. */
  readonly health: string;
  readonly containers?: readonly SiteContainer[];
  readonly pids?: { readonly nginx: number | null; readonly service: number | null };
  /** Where the data lies on this host; `null` where that cannot be told. */
  readonly data: { readonly store: string | null; readonly database: string | null };
  readonly versions: Readonly<Record<string, string>>;
}

/** Looks where the site is: the host processes that run in the background, else the containers. */
export async function readStatus(machine: Machine, settings: SiteSettings): Promise<SiteStatus> {
  const base = { name: settings.name };
  const tail = { versions: await versions(machine) };
  const local = await readLocalState(settings.name);
  if (local !== undefined) {
    const { healthy, text } = await healthOf(settings, "local", local.port, local.caFile);
    const database = join(local.root, "database", "slipway.db");
    return { ...base, placement: "local", url: local.url, ca: local.caFile, healthy, health: text, pids: local.pids, data: { store: local.store, database }, ...tail };
  }
  const containers = await containersOf(machine, settings.name);
  const data = { store: await storeOnHost(machine, settings), database: settings.application === null ? await mountpoint(machine, databaseVolume(settings)) : null };
  if (containers.length === 0) return { ...base, placement: null, url: null, ca: null, healthy: false, health: "the site is not up; npm run up brings it up", data, ...tail };
  const ca = dockerCaFile(settings);
  const { healthy, text, url } = await healthOf(settings, "docker", settings.listen.httpsPort, ca);
  return { ...base, placement: "docker", url, ca, healthy, health: text, containers, data, ...tail };
}

async function healthOf(settings: SiteSettings, placement: "docker" | "local", port: number, ca: string | null) {
  try {
    const target = await targetOf(placement, settings, port, ca);
    return { url: target.url, ...(await checkHealth(target.address, hasService(target))) };
  } catch (error) {
    return { url: null, healthy: false, text: (error as Error).message };
  }
}

async function storeOnHost(machine: Machine, settings: SiteSettings): Promise<string | null> {
  const { place } = settings.storage;
  return place.kind === "bind" ? place.path : mountpoint(machine, place.name);
}

async function mountpoint(machine: Machine, volume: string): Promise<string | null> {
  const result = await machine.run(volumeExists(volume));
  return result.ok ? result.stdout.trim() : null;
}

async function versions(machine: Machine): Promise<Readonly<Record<string, string>>> {
  const { version } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as { version: string };
  const engine = await machine.run(engineVersion());
  return { slipway: version, node: process.versions.node, provider: PROVIDER_VERSION, ...(engine.ok ? { docker: engine.stdout.trim() } : {}) };
}

/** The same for a person. */
export function statusText(status: SiteStatus): string {
  const rows: (readonly [string, string | null])[] = [
    ["site", `${status.name}, ${status.placement ?? "not up"}`],
    ["health", `${status.healthy ? "healthy" : "NOT healthy"}: ${status.health}`],
    ["address", status.url],
    ["CA file", status.ca],
    ...(status.containers ?? []).map(({ name, status: state }) => ["container", `${name}, ${state}`] as const),
    ["processes", status.pids === undefined ? null : `nginx ${status.pids.nginx ?? "-"}, service ${status.pids.service ?? "-"}`],
    ["files", status.data.store],
    ["records", status.data.database],
    ["versions", Object.entries(status.versions).map(([name, version]) => `${name} ${version}`).join(", ")],
  ];
  return `${rows.filter(([, value]) => value !== null).map(([name, value]) => `${name.padEnd(10)} ${value}`).join("\n")}\n`;
}
