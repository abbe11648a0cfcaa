import { existsSync, readFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { databaseVolume } from "../../stacks/constructs/site-mounts.ts";
import type { SiteSettings } from "../../stacks/settings.ts";
import { siteFolder } from "../../stacks/site-folder.ts";
import { removeVolume, siteImages, removeImage, volumeExists } from "../commands/docker.ts";
import { destroy, errorOf, synthFolder, terraformEnvironment } from "../commands/terraform.ts";
import type { Machine } from "../core/machine.ts";
import { checkout } from "../core/paths.ts";
import { Problem } from "../core/problem.ts";
import { mustRun } from "../core/run.ts";
import { localRoot, localStateFile, readLocalState, removeLocalState } from "../local/state.ts";
import { found, made, type Step } from "../steps/step.ts";
import { findTerraform } from "../steps/terraform.ts";

const LOCAL_STOP_TIMEOUT_MS = 30_000;

/** Ends the host processes of a site, uploads in flight first. */
export const stopLocalStep = (settings: SiteSettings): Step => ({
  name: "processes",
  after: [],
  run: async () => {
    const state = await readLocalState(settings.name);
    if (state === undefined) return found("none run");
    process.kill(state.pid, "SIGTERM");
    const end = performance.now() + LOCAL_STOP_TIMEOUT_MS;
    while ((await readLocalState(settings.name)) !== undefined || isAlive(state.pid)) {
      if (performance.now() > end) throw new Problem(`processes: ${state.pid} has not ended after ${LOCAL_STOP_TIMEOUT_MS / 1000} s; end it by hand: kill -9 ${state.pid}`);
      await sleep(100);
    }
    await removeLocalState(localStateFile(settings.name));
    return made(`ended ${state.pid}, which looked after nginx and the service`);
  },
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether Terraform has made something for the site that is still there. */
export function isDeployed(settings: SiteSettings): boolean {
  const state = join(siteFolder(settings.name), "terraform.tfstate");
  if (!existsSync(state)) return false;
  const { resources } = JSON.parse(readFileSync(state, "utf8")) as { resources?: readonly unknown[] };
  return (resources ?? []).length > 0;
}

/** Removes containers, networks and images. The volumes are none of Terraform's: they stay. */
export const destroyStep = (machine: Machine, settings: SiteSettings): Step => ({
  name: "containers",
  after: ["provider", "terraform", "docker"],
  run: async (report) => {
    if (!isDeployed(settings)) return found("none are deployed");
    report.begin("cdktf destroy; nginx lets uploads in flight finish, up to half a minute");
    const binary = (await findTerraform(machine)) ?? "terraform";
    const result = await machine.run(destroy(synthFolder(settings.name)), { cwd: checkout, env: terraformEnvironment(binary) });
    if (!result.ok) throw new Problem(`containers: cdktf destroy failed; nothing of the data was touched\n${errorOf(`${result.stdout}\n${result.stderr}`)}`);
    const images = await machine.run(siteImages(settings.name));
    for (const image of images.stdout.split("\n").filter((name) => name !== "")) await machine.run(removeImage(image));
    return made("containers, networks and images removed");
  },
});

/** A place that `--delete-data` empties, and how. */
export interface DataPlace {
  /** For the question to the person. */
  readonly text: string;
  readonly remove: () => Promise<void>;
}

/** Where the site's data is now, in both placements; empty when there is none. */
export async function dataPlaces(machine: Machine, settings: SiteSettings): Promise<readonly DataPlace[]> {
  const { place } = settings.storage;
  const places: DataPlace[] = [];
  const volumes = place.kind === "volume" ? [place.name, databaseVolume(settings)] : [databaseVolume(settings)];
  for (const volume of volumes) {
    if (!(await machine.run(volumeExists(volume))).ok) continue;
    places.push({ text: `Docker volume ${volume}`, remove: async () => void (await mustRun(machine.run, "data", removeVolume(volume))) });
  }
  if (place.kind === "bind") {
    for (const folder of [join(place.path, "incoming"), join(place.path, "files")].filter((path) => existsSync(path))) {
      places.push({ text: `everything in ${folder}`, remove: () => emptyFolder(folder) });
    }
  }
  const root = localRoot(settings.name, machine.host.isRoot);
  if (existsSync(root)) places.push({ text: `folder ${root}`, remove: () => rm(root, { recursive: true, force: true }) });
  return places;
}

/** Removes what is in a folder and leaves the folder: it may be a mount point, and its owner and mode are the site's. */
async function emptyFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
}

/** Deletes the data; the probes of the last `up` went with it. */
export const deleteDataStep = (settings: SiteSettings, places: readonly DataPlace[]): Step => ({
  name: "data",
  after: ["processes", "containers"],
  run: async () => {
    for (const place of places) await place.remove();
    for (const placement of ["docker", "local"]) await rm(join(siteFolder(settings.name), `probe-${placement}.json`), { force: true });
    return made(`deleted ${places.map(({ text }) => text).join(", ")}`);
  },
});
