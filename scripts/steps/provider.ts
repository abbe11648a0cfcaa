import { copyFile, chmod, mkdir, readFile, rename, stat } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildProvider, requiredGo } from "../commands/go.ts";
import type { Machine } from "../core/machine.ts";
import { cacheRoot, checkout, pluginMirror } from "../core/paths.ts";
import { Problem } from "../core/problem.ts";
import { mustRun } from "../core/run.ts";
import { ensureGo } from "./go.ts";
import { found, made, type Step, type StepReport } from "./step.ts";

/** Version of the Docker provider that the stack asks for. */
export const PROVIDER_VERSION = "4.6.0";

/** terraform and tofu look below the name of their own default registry. */
const REGISTRIES = ["registry.terraform.io", "registry.opentofu.org"] as const;
const REGISTRY_TIMEOUT_MS = 4_000;

/** Where Terraform's implied mirror has the provider (developer.hashicorp.com/terraform/cli/config/config-file). */
export function mirrorPaths(architecture: string, mirror: string = pluginMirror()): readonly string[] {
  return REGISTRIES.map((registry) =>
    join(mirror, registry, "kreuzwerker", "docker", PROVIDER_VERSION, `linux_${architecture}`, `terraform-provider-docker_v${PROVIDER_VERSION}`),
  );
}

/** The Docker provider: in the mirror, from the registry, from the cache, or built from its Go module. */
export const providerStep = (machine: Machine): Step => ({
  name: "provider",
  after: ["packages"],
  run: async (report) => {
    const places = mirrorPaths(machine.host.architecture);
    const there = places.find((path) => existsSync(path));
    if (there !== undefined) {
      const added = await place(there, places);
      return (added ? made : found)(`docker ${PROVIDER_VERSION} is in the local mirror`);
    }
    if (await registryAnswers()) return found(`docker ${PROVIDER_VERSION} comes from the registry`);
    const cached = join(cacheRoot(), "provider", PROVIDER_VERSION, machine.host.architecture, "terraform-provider-docker");
    const build = !existsSync(cached);
    if (build) await buildInto(machine, cached, report);
    await place(cached, places);
    return made(`docker ${PROVIDER_VERSION} ${build ? "built and put" : "put from the cache"} into the local mirror`);
  },
});

/** Whether the Terraform registry can be reached from here, asked with a short time-out. */
export async function registryAnswers(address = `https://${REGISTRIES[0]}/.well-known/terraform.json`): Promise<boolean> {
  try {
    return (await fetch(address, { signal: AbortSignal.timeout(REGISTRY_TIMEOUT_MS) })).ok;
  } catch {
    return false;
  }
}

/** Copies the binary to every place that lacks it; each appears whole or not at all. */
async function place(binary: string, places: readonly string[]): Promise<boolean> {
  const lacking = places.filter((path) => !existsSync(path));
  for (const path of lacking) {
    await mkdir(dirname(path), { recursive: true });
    const partial = `${path}.${process.pid}`;
    await copyFile(binary, partial);
    await chmod(partial, 0o755);
    await rename(partial, path);
  }
  return lacking.length > 0;
}

async function buildInto(machine: Machine, cached: string, report: StepReport): Promise<void> {
  const recipe = join(checkout, "scripts", "provider");
  const wanted = requiredGo(await readFile(join(recipe, "go.mod"), "utf8"));
  if (wanted === undefined) throw new Problem(`provider: no go line in ${recipe}/go.mod; restore the file from git`);
  const go = await ensureGo(machine, wanted, report, "to build the Docker provider, because the Terraform registry cannot be reached");
  await mkdir(dirname(cached), { recursive: true });
  report.begin("the Terraform registry cannot be reached; building the provider from its Go module, 4-5 minutes the first time");
  const partial = `${cached}.${process.pid}`;
  await mustRun(machine.run, "provider", buildProvider(go.binary, partial), { cwd: recipe, env: { ...go.env, GOFLAGS: "-buildvcs=false -mod=readonly" } });
  if ((await stat(partial)).size === 0) throw new Problem("provider: the build made an empty file; remove it and run npm run setup again");
  await rename(partial, cached);
}
