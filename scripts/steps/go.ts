import { chmod, readdir, rename } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { aptByHand, aptEnvironment, aptInstall, aptUpdate } from "../commands/apt.ts";
import { downloadToolchain, goVersion, isAtLeast } from "../commands/go.ts";
import type { Machine } from "../core/machine.ts";
import { Problem } from "../core/problem.ts";
import { mustRun } from "../core/run.ts";
import type { StepReport } from "./step.ts";

/** A go command that is new enough, and the environment to run it in. */
export interface Go {
  readonly binary: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Older ones do not know GOTOOLCHAIN and have to be helped to a newer toolchain. */
const FIRST_WITH_TOOLCHAINS = "1.21";

/** apt is asked for Go at most once, though several steps may need it. */
let installing: Promise<void> | undefined;

/**
 * A go command of at least `wanted`: the one there, or the distribution's, which fetches the newer toolchain
 * as a Go module where its own is too old.
 * @throws Problem that says `purpose` where Go cannot be had
 */
export async function ensureGo(machine: Machine, wanted: string, report: StepReport, purpose: string): Promise<Go> {
  if ((await findGo(machine)) === undefined) {
    if (!machine.host.isRoot || !machine.host.isDebian) {
      throw new Problem(`go: missing, ${purpose}; run: ${aptByHand(["golang-go"])}`);
    }
    report.begin(`installing golang-go with apt ${purpose}`);
    installing ??= installGo(machine);
    await installing;
  }
  const binary = await findGo(machine);
  if (binary === undefined) throw new Problem(`go: still missing after installing golang-go; put it on the PATH`);
  const version = goVersion((await mustRun(machine.run, "go", [binary, "version"], { env: { GOTOOLCHAIN: "local" } })).stdout) ?? "0";
  // "auto" takes the toolchain that the module file asks for, and Debian's own default is not to.
  const env = { GOFLAGS: "-buildvcs=false", CGO_ENABLED: "0", GOTOOLCHAIN: "auto" };
  if (isAtLeast(version, FIRST_WITH_TOOLCHAINS) || isAtLeast(version, wanted)) return { binary, env };
  report.begin(`Go ${version} is too old; fetching ${wanted} as a Go module`);
  return { binary: await fetchToolchain(machine, binary, wanted), env };
}

async function installGo(machine: Machine): Promise<void> {
  await machine.run(aptUpdate(), { env: aptEnvironment });
  await mustRun(machine.run, "go", aptInstall(["golang-go", "ca-certificates"]), { env: aptEnvironment });
}

const findGo = async (machine: Machine): Promise<string | undefined> =>
  (await machine.find("go")) ?? (existsSync("/usr/local/go/bin/go") ? "/usr/local/go/bin/go" : undefined);

/**
 * Has an old go command download a newer toolchain, as newer ones do by themselves.
 * The module zip cannot carry modes nor go.mod files, so both are put right afterwards (golang.org/toolchain).
 */
async function fetchToolchain(machine: Machine, go: string, version: string): Promise<string> {
  const platform = `linux-${machine.host.architecture}`;
  const env = { GOFLAGS: "-modcacherw" };
  const result = await mustRun(machine.run, "go", downloadToolchain(go, version, platform), { env });
  const folder = (JSON.parse(result.stdout) as { Dir: string }).Dir;
  const tools = join(folder, "pkg", "tool", platform.replace("-", "_"));
  const programs = [join(folder, "bin"), tools].filter((path) => existsSync(path));
  for (const place of programs) {
    for (const name of await readdir(place)) await chmod(join(place, name), 0o755);
  }
  for (const place of ["src", join("src", "cmd")]) {
    const renamed = join(folder, place, "_go.mod");
    if (existsSync(renamed)) await rename(renamed, join(folder, place, "go.mod"));
  }
  return join(folder, "bin", "go");
}
