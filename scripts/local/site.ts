import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildModule } from "../../images/module-build.ts";
import { renderNginx } from "../../stacks/nginx/render.ts";
import type { Placement } from "../../stacks/placement.ts";
import type { SiteProps } from "../../stacks/props.ts";
import { checkSite, type SiteSettings } from "../../stacks/settings.ts";
import { waitForHealth } from "../core/health.ts";
import { thisMachine, type Machine } from "../core/machine.ts";
import { connectAddress, siteHost, siteUrl } from "../core/names.ts";
import { Problem } from "../core/problem.ts";
import type { SiteAddress } from "../core/site-client.ts";
import type { Owner } from "../steps/site-files.ts";
import { checkUnused, localLayout, prepareLayout, type LocalLayout } from "./layout.ts";
import { ManagedProcess } from "./managed-process.ts";
import { freePort } from "./ports.ts";
import { nginxProcess, serviceProcess } from "./processes.ts";
import { checkReach, findPrograms, nginxVersion } from "./programs.ts";

export interface LocalSiteOptions {
  /** Props of the site. Its store lies below {@link root} whatever `storage.place` says. */
  readonly site: SiteProps;
  /**
   * Folder of everything that the site keeps; made when missing, kept at the end.
   * @default a folder in the system's temporary folder, removed by `stop`
   */
  readonly root?: string;
  /** @default a free port */
  readonly httpsPort?: number;
  /** Port of the redirect to HTTPS. @default none */
  readonly httpPort?: number;
  /** Absolute path of a module to load. @default the one of this checkout, built for this host's nginx */
  readonly module?: string;
  /** @default this machine */
  readonly machine?: Machine;
}

/** A site that runs as processes of this host. */
export interface LocalSite {
  readonly settings: SiteSettings;
  /** Address for people, e.g. `https://localhost:8443`. */
  readonly url: string;
  /** How the commands reach it. */
  readonly address: SiteAddress;
  /** PEM file of the CA to trust; `undefined` where clients trust the system's. */
  readonly caFile: string | undefined;
  readonly root: string;
  readonly store: string;
  readonly layout: LocalLayout;
  readonly nginx: ManagedProcess;
  /** `undefined` where an application completes the uploads. */
  readonly service: ManagedProcess | undefined;
  /** Ids of the processes that run. */
  readonly pids: { readonly nginx: number | undefined; readonly service: number | undefined };
  /** Resolves once both processes answer, e.g. after one was started again. */
  readonly ready: () => Promise<void>;
  /** Ends the processes, uploads in flight first; removes a temporary root. */
  readonly stop: () => Promise<void>;
}

const HEALTH_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 12_000;

/**
 * Starts a site as host processes from the same props and templates as the containers, and waits until it is
 * healthy. Several may run at the same time.
 * @throws SiteProblems for wrong props; Problem when something is missing or a process ends, with its last lines
 */
export async function startLocalSite(options: LocalSiteOptions): Promise<LocalSite> {
  const machine = options.machine ?? thisMachine();
  const httpsPort = options.httpsPort ?? (await freePort());
  const settings = checkSite(localProps(options.site, httpsPort, options.httpPort));
  const temporary = options.root === undefined;
  const root = resolve(options.root ?? (await mkdtemp(join(tmpdir(), "slipway-local-"))));
  const remove = async (): Promise<void> => (temporary ? rm(root, { recursive: true, force: true }) : undefined);
  let site: LocalSite | undefined;
  try {
    site = await assemble(machine, settings, root, remove, options);
    site.service?.start();
    site.nginx.start();
    await site.ready();
    return site;
  } catch (error) {
    await (site === undefined ? remove() : site.stop());
    throw error;
  }
}

/** The props as they are for host processes: other ports, and the host itself in place of Docker's name for it. */
function localProps(site: SiteProps, httpsPort: number, httpPort: number | undefined): SiteProps {
  const { application } = site;
  return {
    ...site,
    listen: { ...site.listen, httpsPort, httpPort: httpPort ?? false },
    ...(application === undefined ? {} : { application: { ...application, address: application.address.replace(/^host\.docker\.internal:/, "127.0.0.1:") } }),
  };
}

async function assemble(machine: Machine, settings: SiteSettings, root: string, remove: () => Promise<void>, options: LocalSiteOptions): Promise<LocalSite> {
  const owner: Owner = machine.host.isRoot ? settings.storage : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  await mkdir(root, { recursive: true });
  const layout = localLayout(root, settings);
  checkUnused(layout);
  await prepareLayout(machine.run, layout, settings, owner, options.module ?? (await buildModule()));
  const programs = await findPrograms(machine, layout);
  const servicePort = await freePort();
  const placement = localPlacement(layout, settings, await nginxVersion(machine, programs.nginx), servicePort);
  await writeFile(layout.nginx.config, renderNginx(settings, placement));
  await checkReach(machine, programs, owner, [process.execPath, layout.nginx.config]);
  const { httpsPort, httpPort } = settings.listen;
  const nginx = new ManagedProcess(nginxProcess(programs, layout, owner, httpPort === false ? [httpsPort] : [httpsPort, httpPort]));
  const service = settings.application === null ? new ManagedProcess(serviceProcess(programs, layout, settings, owner, servicePort)) : undefined;
  const host = siteHost(settings);
  const ca = layout.caFile === undefined ? {} : { ca: await readFile(layout.caFile) };
  const address: SiteAddress = { host, address: connectAddress(settings), port: httpsPort, ...ca };
  const processes = service === undefined ? [nginx] : [nginx, service];
  return {
    settings, address, root, layout, nginx, service,
    url: siteUrl(host, httpsPort),
    caFile: layout.caFile,
    store: layout.store,
    get pids() {
      return { nginx: nginx.pid, service: service?.pid };
    },
    ready: () => waitForHealth(address, service !== undefined, HEALTH_TIMEOUT_MS, () => processes.forEach(mustRunStill)),
    stop: async () => {
      // nginx first: it lets uploads in flight finish, and those need the service.
      for (const part of processes) await part.stop(STOP_GRACE_MS);
      await remove();
    },
  };
}

/** @throws Problem with the process's last lines when it has ended */
function mustRunStill(part: ManagedProcess): void {
  if (!part.running) throw new Problem(`${part.spec.name}: ended; its last lines:\n${part.lastLines()}`);
}

/** Host processes below one folder. */
export function localPlacement(layout: LocalLayout, settings: SiteSettings, version: string, servicePort: number): Placement {
  const { address, httpsPort, httpPort } = settings.listen;
  const at = (port: number): string => (address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`);
  return {
    nginxVersion: version,
    modulePath: layout.nginx.module,
    pidPath: layout.nginx.pid,
    tempDir: layout.nginx.temp,
    errorLog: "stderr",
    accessLog: join(layout.logs, "access.log"),
    store: layout.store,
    httpsListen: at(httpsPort),
    httpListen: httpPort === false ? null : at(httpPort),
    healthListen: null,
    httpsPublicPort: httpsPort,
    certificate: layout.certificate,
    key: layout.key,
    secretConf: layout.nginxSecret,
    errorPages: layout.nginx.errors,
    service: { address: `127.0.0.1:${servicePort}` },
    resolver: null,
    workerProcesses: "auto",
    foreground: true,
    user: null,
  };
}
