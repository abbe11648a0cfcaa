import { readFileSync } from "node:fs";
import { execa, execaSync } from "execa";
import { processTree } from "../../bench/proc.ts";

/** Says why tests that need Docker cannot run here, or undefined when they can, or when CI says that they must. */
export function withoutDocker(): string | undefined {
  if (process.env["CI"] === "true" || process.env["SLIPWAY_REQUIRE_DOCKER"] === "1") return undefined;
  const { exitCode, stderr } = execaSync("docker", ["version", "--format", "{{.Server.Version}}"], { reject: false });
  if (exitCode !== 0) return `no Docker engine (${stderr?.split("\n")[0] ?? "docker is not installed"}; npm run setup gets one)`;
  if (process.getuid?.() !== 0) return "not root, so files in volumes and processes in containers cannot be looked at";
  return undefined;
}

/** Runs docker and gives its standard output; a failure carries the engine's own words. */
export async function docker(...argv: string[]): Promise<string> {
  const { stdout } = await execa("docker", argv);
  return stdout;
}

/** The parts of `docker inspect` of a container that tests look at. */
export interface ContainerFacts {
  readonly Id: string;
  readonly Image: string;
  readonly State: { readonly Status: string; readonly StartedAt: string; readonly Pid: number };
  readonly Config: { readonly User: string; readonly Env: readonly string[] };
  readonly HostConfig: { readonly ReadonlyRootfs: boolean; readonly CapDrop: readonly string[] | null; readonly CapAdd: readonly string[] | null; readonly SecurityOpt: readonly string[] | null; readonly Privileged: boolean };
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>>;
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
  };
}

/** What the engine knows of a container. */
export async function inspect(container: string): Promise<ContainerFacts> {
  const [facts] = JSON.parse(await docker("inspect", "--type", "container", container)) as ContainerFacts[];
  if (facts === undefined) throw new Error(`${container}: docker inspect answered nothing`);
  return facts;
}

/** Process ids on the host of a container's first process and all below it: a health check comes and goes beside them. */
export async function processes(container: string): Promise<number[]> {
  return processTree((await inspect(container)).State.Pid);
}

/** One field of /proc/<pid>/status, e.g. `Uid` or `VmHWM`. */
export function processStatus(pid: number, field: string): string {
  const value = new RegExp(`^${field}:\\s*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (value === undefined) throw new Error(`/proc/${pid}/status: no field ${field}`);
  return value;
}

/**
 * Peak resident memory of a container in MiB: the sum of VmHWM over its processes. Pages that processes share count in
 * each, so that the true figure is lower; the page cache, which a cgroup's own counter includes, does not count.
 */
export async function peakMemoryMiB(container: string): Promise<number> {
  const pids = await processes(container);
  return pids.reduce((sum, pid) => sum + Number.parseInt(processStatus(pid, "VmHWM"), 10), 0) / 1024;
}

/** Folder on the host that holds a volume's data. */
export const volumeFolder = (volume: string): Promise<string> => docker("volume", "inspect", "--format", "{{.Mountpoint}}", volume);

/** All that a container has written to its log, standard output and error. */
export async function logs(container: string): Promise<string> {
  const { all } = await execa("docker", ["logs", container], { all: true });
  return all;
}

/** The lines of a container's log that are JSON objects. */
export async function logObjects(container: string): Promise<Readonly<Record<string, unknown>>[]> {
  return (await logs(container))
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Names of containers, networks and volumes whose name starts with a prefix. */
export async function resources(kind: "container" | "network" | "volume", prefix: string): Promise<string[]> {
  const format = kind === "container" ? "{{.Names}}" : "{{.Name}}";
  const names = await docker(kind, "ls", ...(kind === "container" ? ["--all"] : []), "--filter", `name=${prefix}`, "--format", format);
  return names.split("\n").filter((name) => name.startsWith(prefix));
}
