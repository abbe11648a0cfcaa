import type { Argv } from "../core/run.ts";

/** Environment under which apt asks nothing. */
export const aptEnvironment = { DEBIAN_FRONTEND: "noninteractive", APT_LISTCHANGES_FRONTEND: "none", NEEDRESTART_MODE: "l" } as const;

export const aptUpdate = (): Argv => ["apt-get", "update", "-q"];

/** Installs packages; waits up to two minutes for another apt that holds the lock. */
export const aptInstall = (packages: readonly string[]): Argv => [
  "apt-get", "install", "-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", ...packages,
];

/** What apt knows about the packages: nothing for one that this release lacks. */
export const aptShow = (packages: readonly string[]): Argv => ["apt-cache", "show", "--no-all-versions", ...packages];

/** Which of the packages are installed: `<status abbreviation> <name>` a line. */
export const dpkgStatus = (packages: readonly string[]): Argv => [
  "dpkg-query", "--show", "--showformat", "${db:Status-Abbrev} ${binary:Package}\n", ...packages,
];

/** Names of the installed packages in the output of {@link dpkgStatus}. */
export function installedPackages(output: string): ReadonlySet<string> {
  const names = output
    .split("\n")
    .filter((line) => line.startsWith("ii"))
    .map((line) => line.slice(2).trim().replace(/:.*$/, ""));
  return new Set(names);
}

/** The command for a person to type. */
export const aptByHand = (packages: readonly string[]): string =>
  `sudo apt-get update && sudo apt-get install --no-install-recommends ${packages.join(" ")}`;
