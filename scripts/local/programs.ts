import { join } from "node:path";
import { bundleService } from "../../images/service-bundle.ts";
import type { Machine } from "../core/machine.ts";
import { Problem } from "../core/problem.ts";
import type { LocalLayout } from "./layout.ts";
import type { Owner } from "../steps/site-files.ts";
import { asOwner, type Programs } from "./processes.ts";

/**
 * Finds what a local site runs, and bundles the service into the site's own folder: the site's user may not be able
 * to enter the checkout.
 * @throws Problem naming what is missing
 */
export async function findPrograms(machine: Machine, layout: LocalLayout): Promise<Programs> {
  const nginx = await machine.find("nginx");
  if (nginx === undefined) throw new Problem("nginx: not found on this host; run npm run setup -- --local");
  const setpriv = machine.host.isRoot ? await machine.find("setpriv") : undefined;
  if (machine.host.isRoot && setpriv === undefined) throw new Problem("setpriv: not found, and the site must not run as root; install util-linux, or run this as another user");
  await bundleService(layout.service);
  return { nginx, setpriv, service: [process.execPath, join(layout.service, "service.mjs")], serviceFolder: layout.service };
}

/**
 * Makes sure that the site's user can get at what it must: root may have chosen a place that only root can enter.
 * @throws Problem naming the first path that it cannot read
 */
export async function checkReach(machine: Machine, programs: Programs, owner: Owner, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const result = await machine.run(asOwner(["test", "-r", path], programs.setpriv, owner, false));
    if (result.ok) continue;
    throw new Problem(`local: the site's user ${owner.uid}:${owner.gid} cannot read it, got "${path}"; choose a --root that every user can enter (below /srv or /var/lib), or run this as a user other than root`);
  }
}

/** `1.22.1` of the host's nginx, which prints `nginx version: nginx/1.22.1` to stderr. */
export async function nginxVersion(machine: Machine, nginx: string): Promise<string> {
  const { stderr } = await machine.run([nginx, "-v"]);
  const version = /nginx\/(\d+\.\d+\.\d+)/.exec(stderr)?.[1];
  if (version === undefined) throw new Problem(`nginx: its version cannot be read, got "${stderr.trim()}"; run nginx -v by hand`);
  return version;
}
