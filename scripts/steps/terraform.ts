import { existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildTofu, downloadTofu, TOFU_GO, TOFU_VERSION } from "../commands/go.ts";
import type { Machine } from "../core/machine.ts";
import { cacheRoot } from "../core/paths.ts";
import { mustRun } from "../core/run.ts";
import { ensureGo } from "./go.ts";
import { found, made, type Step } from "./step.ts";

const cachedTofu = (): string => join(cacheRoot(), "tofu", TOFU_VERSION, "tofu");

/** The terraform or tofu to use, or `undefined`: what the site names, what is on the PATH, or what was built here. */
export async function findTerraform(machine: Machine, env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const named = env["TERRAFORM_BINARY_NAME"];
  if (named !== undefined) return machine.find(named);
  return (await machine.find("terraform")) ?? (await machine.find("tofu")) ?? (existsSync(cachedTofu()) ? cachedTofu() : undefined);
}

/** Terraform, or OpenTofu in its place: there, or built from its Go module. */
export const terraformStep = (machine: Machine): Step => ({
  name: "terraform",
  after: ["packages"],
  run: async (report) => {
    const binary = await findTerraform(machine);
    if (binary !== undefined) return found(`${await versionOf(machine, binary)}, ${binary}`);
    const go = await ensureGo(machine, TOFU_GO, report, "to build OpenTofu; or install terraform");
    await mkdir(dirname(cachedTofu()), { recursive: true });
    report.begin(`neither terraform nor tofu is there; building OpenTofu ${TOFU_VERSION} from its Go module, several minutes`);
    const module = await mustRun(machine.run, "terraform", downloadTofu(go.binary), { env: go.env });
    const { Dir: cwd } = JSON.parse(module.stdout) as { Dir: string };
    const partial = `${cachedTofu()}.${process.pid}`;
    await mustRun(machine.run, "terraform", buildTofu(go.binary, partial), { cwd, env: go.env });
    await rename(partial, cachedTofu());
    return made(`built OpenTofu ${TOFU_VERSION}, ${cachedTofu()}`);
  },
});

async function versionOf(machine: Machine, binary: string): Promise<string> {
  const result = await machine.run([binary, "version"], { env: { CHECKPOINT_DISABLE: "1" } });
  return result.stdout.split("\n")[0] ?? "of an unknown version";
}
