import { join } from "node:path";
import type { SiteSettings } from "../../stacks/settings.ts";
import type { Argv } from "../core/run.ts";
import type { Owner } from "../steps/site-files.ts";
import type { LocalLayout } from "./layout.ts";
import type { ProcessSpec } from "./managed-process.ts";

/** Programs of the host that a local site runs. */
export interface Programs {
  readonly nginx: string;
  /** Sets the user of a process that root starts; `undefined` where the starter's own is kept. */
  readonly setpriv: string | undefined;
  /** Command line of the service. */
  readonly service: Argv;
  readonly serviceFolder: string;
}

/** The highest port that only privileged processes may listen on. */
const LAST_PRIVILEGED_PORT = 1023;

/**
 * A command line run as the site's user. nginx gets the right to a low port and nothing else, so that it never
 * runs as root (capabilities(7), setpriv(1)).
 */
export function asOwner(argv: Argv, setpriv: string | undefined, owner: Owner, lowPort: boolean): Argv {
  if (setpriv === undefined) return argv;
  const capabilities = lowPort ? ["--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"] : [];
  return [setpriv, `--reuid=${owner.uid}`, `--regid=${owner.gid}`, "--clear-groups", ...capabilities, "--", ...argv];
}

export function nginxProcess(programs: Programs, layout: LocalLayout, owner: Owner, ports: readonly number[]): ProcessSpec {
  const argv: Argv = [programs.nginx, "-e", "stderr", "-p", join(layout.root, "nginx"), "-c", layout.nginx.config];
  return {
    name: "nginx",
    argv: asOwner(argv, programs.setpriv, owner, ports.some((port) => port <= LAST_PRIVILEGED_PORT)),
    cwd: layout.root,
    env: baseEnvironment(layout),
    logFile: join(layout.logs, "nginx.log"),
    stopSignal: "SIGQUIT",
  };
}

export function serviceProcess(programs: Programs, layout: LocalLayout, settings: SiteSettings, owner: Owner, port: number): ProcessSpec {
  return {
    name: "service",
    argv: asOwner(programs.service, programs.setpriv, owner, false),
    cwd: programs.serviceFolder,
    env: { ...baseEnvironment(layout), ...serviceEnvironment(layout, settings, port) },
    logFile: join(layout.logs, "service.log"),
    stopSignal: "SIGTERM",
  };
}

/** The service's environment (docs/internals/contracts.md, section 3). */
export function serviceEnvironment(layout: LocalLayout, settings: SiteSettings, port: number): Readonly<Record<string, string>> {
  const { storage, service } = settings;
  return {
    SLIPWAY_LISTEN: `127.0.0.1:${port}`,
    SLIPWAY_STORE: layout.store,
    SLIPWAY_DATABASE: layout.database,
    SLIPWAY_SECRET_FILE: layout.secret,
    SLIPWAY_LOG_LEVEL: service.logLevel,
    SLIPWAY_FILE_MODE: storage.fileMode,
    SLIPWAY_DIRECTORY_MODE: storage.directoryMode,
    SLIPWAY_ABANDONED_AFTER: String(service.abandonedAfter.seconds),
    SLIPWAY_SITE_NAME: settings.name,
  };
}

const baseEnvironment = (layout: LocalLayout): Readonly<Record<string, string>> => ({
  PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
  TMPDIR: layout.nginx.temp,
  HOME: layout.root,
  LANG: "C.UTF-8",
});
