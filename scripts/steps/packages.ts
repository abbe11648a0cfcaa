import { chmod, readFile, rename, rm, writeFile } from "node:fs/promises";
import { aptByHand, aptEnvironment, aptInstall, aptShow, aptUpdate, dpkgStatus, installedPackages } from "../commands/apt.ts";
import type { Machine } from "../core/machine.ts";
import { Problem } from "../core/problem.ts";
import { mustRun } from "../core/run.ts";
import { found, made, type Step, type StepReport } from "./step.ts";

/** What something needs of the host: it is there when the program is, else its packages are installed. */
export interface Need {
  /** Program whose presence says that nothing has to be installed; `undefined`: ask dpkg for the packages. */
  readonly program?: string;
  readonly packages: readonly string[];
  /** Packages that only some releases have. */
  readonly optional?: readonly string[];
}

export const DOCKER_NEED: Need = { program: "dockerd", packages: ["docker.io", "iptables"], optional: ["docker-cli"] };
export const OPENSSL_NEED: Need = { program: "openssl", packages: ["openssl", "ca-certificates"] };
export const MMDEBSTRAP_NEED: Need = { program: "mmdebstrap", packages: ["mmdebstrap", "debian-archive-keyring"] };
export const NGINX_NEED: Need = { program: "nginx", packages: ["nginx"] };
/** What compiles the module against the host's nginx. */
export const COMPILER_NEED: Need = { packages: ["nginx-dev", "gcc", "make", "libc6-dev", "libssl-dev", "zlib1g-dev", "libpcre2-dev"] };
/** What the tests drive the site with. */
export const TEST_NEED: Need = { packages: ["chromium", "curl", "python3-venv", "python3-pip", "zsh", "fish"] };

/** Makes sure of packages of the distribution; says by hand how where it may not install. */
export const packagesStep = (machine: Machine, needs: readonly Need[]): Step => ({
  name: "packages",
  after: [],
  run: async (report) => {
    const missing = await missingPackages(machine, needs);
    if (missing.length === 0) return found("all there");
    if (!machine.host.isDebian) {
      throw new Problem(`packages: missing, ${missing.join(" ")}; install what your distribution calls these (Debian's names are shown)`);
    }
    if (!machine.host.isRoot) throw new Problem(`packages: missing, ${missing.join(" ")}; run: ${aptByHand(missing)}`);
    await install(machine, needs, missing, report);
    return made(`installed ${missing.join(" ")}`);
  },
});

/** Packages to install, for the needs that are not met. */
export async function missingPackages(machine: Machine, needs: readonly Need[]): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const need of needs) {
    if (need.program !== undefined) {
      if ((await machine.find(need.program)) === undefined) missing.push(...need.packages);
      continue;
    }
    const status = await machine.run(dpkgStatus(need.packages));
    const installed = installedPackages(status.stdout);
    missing.push(...need.packages.filter((name) => !installed.has(name)));
  }
  return [...new Set(missing)];
}

async function install(machine: Machine, needs: readonly Need[], missing: readonly string[], report: StepReport): Promise<void> {
  report.begin(`installing ${missing.join(" ")} with apt`);
  const update = await machine.run(aptUpdate(), { env: aptEnvironment });
  if (!update.ok) report.warn("apt-get update failed; going on with the lists that are there");
  const wanted = [...missing];
  for (const need of needs.filter((need) => need.packages.some((name) => missing.includes(name)))) {
    for (const name of need.optional ?? []) {
      if ((await machine.run(aptShow([name]))).ok) wanted.push(name);
    }
  }
  await withoutStartingServices(() => mustRun(machine.run, "packages", aptInstall(wanted), { env: aptEnvironment }));
  if (missing.includes("nginx")) await keepFromBoot(machine, "nginx");
}

const POLICY = "/usr/sbin/policy-rc.d";

/**
 * Keeps package scripts from starting their services (Debian's nginx would take port 80) while `body` runs,
 * by Debian's own means for that: invoke-rc.d asks policy-rc.d, and 101 is "no".
 */
export async function withoutStartingServices<T>(body: () => Promise<T>, policy: string = POLICY): Promise<T> {
  const saved = `${policy}.before-slipway`;
  const existed = await readFile(policy).then(() => true, () => false);
  if (existed) await rename(policy, saved);
  try {
    await writeFile(policy, "#!/bin/sh\nexit 101\n");
    await chmod(policy, 0o755);
    return await body();
  } finally {
    await (existed ? rename(saved, policy) : rm(policy, { force: true }));
  }
}

/** The site runs nginx itself; the distribution's own would take port 80 at the next boot. */
async function keepFromBoot(machine: Machine, service: string): Promise<void> {
  if (machine.host.hasSystemd) await machine.run(["systemctl", "disable", service]);
  else await machine.run(["update-rc.d", service, "disable"]);
}
