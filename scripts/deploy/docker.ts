import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SiteSettings } from "../../stacks/settings.ts";
import { containerLogs, containerState, siteContainers } from "../commands/docker.ts";
import { appliedOf, deploy, errorOf, progressOf, synthFolder, terraformEnvironment } from "../commands/terraform.ts";
import { checkHealth, waitForHealth } from "../core/health.ts";
import type { Log } from "../core/log.ts";
import type { Machine } from "../core/machine.ts";
import { checkout } from "../core/paths.ts";
import { Problem } from "../core/problem.ts";
import { dockerSteps } from "../steps/all.ts";
import { portsStep } from "../steps/ports.ts";
import { found, made, runSteps, type Step } from "../steps/step.ts";
import { findTerraform } from "../steps/terraform.ts";
import { probeStep } from "./probe.ts";
import { hasService, type Target, targetOf, dockerCaFile } from "./target.ts";

const HEALTH_TIMEOUT_MS = 60_000;
const LOG_LINES = 15;

/** Brings the site up in Docker, from whatever state the machine is in, and tries it. */
export async function deployToDocker(machine: Machine, settings: SiteSettings, log: Log): Promise<Target> {
  await runSteps([...(await dockerSteps(machine, settings)), portsStep(machine, settings)], log);
  const changes = await runSteps([deployStep(machine, settings, log)], log);
  const target = await targetOf("docker", settings, settings.listen.httpsPort, dockerCaFile(settings));
  await runSteps([healthStep(machine, target)], log);
  if (hasService(target)) await runSteps([probeStep(target, changes.length > 0)], log);
  return target;
}

const deployStep = (machine: Machine, settings: SiteSettings, log: Log): Step => ({
  name: "deploy",
  after: [],
  run: async (report) => {
    report.begin("cdktf deploy; the first one compiles the module and builds both images, some minutes");
    const binary = (await findTerraform(machine)) ?? "terraform";
    const lines: string[] = [];
    const onLine = (line: string): void => {
      lines.push(line);
      const text = progressOf(line);
      if (text !== undefined) log({ kind: "output", name: "deploy", text });
    };
    const result = await machine.run(deploy(synthFolder(settings.name)), { cwd: checkout, env: terraformEnvironment(binary), onLine });
    const output = lines.join("\n");
    if (!result.ok) throw new Problem(await failure(machine, settings, errorOf(output)));
    const applied = appliedOf(output);
    if (applied === undefined) return made("deployed");
    const { added, changed, destroyed } = applied;
    if (added + changed + destroyed === 0) return found("nothing to change");
    return made(`${added} added, ${changed} changed, ${destroyed} destroyed`);
  },
});

/** Why a deploy failed, in the words of whoever refused, and what that means for the people who use the site. */
async function failure(machine: Machine, settings: SiteSettings, error: string): Promise<string> {
  const said = await unhealthyContainers(machine, settings);
  const caFile = dockerCaFile(settings);
  const serves =
    caFile === null || existsSync(caFile)
      ? (await checkHealth((await targetOf("docker", settings, settings.listen.httpsPort, caFile)).address, settings.application === null)).healthy
      : false;
  const meaning = serves ? "what ran before still serves; nothing was lost" : "the site does not serve now; nothing of the data was touched";
  return [`deploy: failed; ${meaning}`, error, ...buildLogs(settings, error), ...said].join("\n");
}

/** The end of the logs of the image builds that failed: the compiler's or nginx's own words. */
function buildLogs(settings: SiteSettings, error: string): readonly string[] {
  if (!/build/.test(error)) return [];
  const folder = join(synthFolder(settings.name), "stacks", settings.name, "images");
  return ["nginx", "service"]
    .map((image) => join(folder, `${image}.log`))
    .filter((path) => existsSync(path))
    .map((path) => ({ path, text: readFileSync(path, "utf8").trim() }))
    .filter(({ text }) => /^(ERROR|#\d+ ERROR|.*error:|nginx: \[emerg\])/m.test(text))
    .map(({ path, text }) => `the end of ${path}:\n${text.split("\n").slice(-LOG_LINES).join("\n")}`);
}

/** The last lines of the site's containers that do not run well: nginx and the service say there what they miss. */
async function unhealthyContainers(machine: Machine, settings: SiteSettings): Promise<readonly string[]> {
  const names = (await containersOf(machine, settings.name)).map(({ name }) => name);
  const said: string[] = [];
  for (const name of names) {
    const state = await machine.run(containerState(name));
    if (!state.ok) continue;
    const { Running, Restarting, Health, Error: error } = JSON.parse(state.stdout) as ContainerState;
    if (Running && !Restarting && Health?.Status !== "unhealthy") continue;
    const logs = await machine.run(containerLogs(name, LOG_LINES));
    const text = `${error}\n${logs.stdout}\n${logs.stderr}`.trim();
    if (text !== "") said.push(`${name} says:\n${text}`);
  }
  return said;
}

/** The part of `docker inspect` that tells how a container is. */
export interface ContainerState {
  readonly Running: boolean;
  readonly Restarting: boolean;
  /** Why the engine could not start it; empty when it could. */
  readonly Error: string;
  readonly Health?: { readonly Status: string };
}

/** One container of a site, running or not. */
export interface SiteContainer {
  readonly name: string;
  readonly image: string;
  /** As `docker ps` words it: "Up 2 minutes (healthy)". */
  readonly status: string;
}

export async function containersOf(machine: Machine, siteName: string): Promise<readonly SiteContainer[]> {
  const result = await machine.run(siteContainers(siteName));
  if (!result.ok) return [];
  const lines = result.stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const { Names, Image, Status } = JSON.parse(line) as { Names: string; Image: string; Status: string };
    return { name: Names, image: Image, status: Status };
  });
}

const healthStep = (machine: Machine, target: Target): Step => ({
  name: "health",
  after: [],
  run: async () => {
    try {
      await waitForHealth(target.address, hasService(target), HEALTH_TIMEOUT_MS);
    } catch (error) {
      const said = await unhealthyContainers(machine, target.settings);
      throw new Problem([`${(error as Error).message}`, ...said].join("\n"));
    }
    return found(`${target.url} is healthy`);
  },
});
