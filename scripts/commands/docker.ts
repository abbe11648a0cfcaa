import type { Argv } from "../core/run.ts";

/** Version of the engine, alone on stdout; fails when the engine does not answer. */
export const engineVersion = (): Argv => ["docker", "version", "--format", "{{.Server.Version}}"];

export const imageId = (image: string): Argv => ["docker", "image", "inspect", "--format", "{{.Id}}", image];

export const pull = (image: string): Argv => ["docker", "pull", "--quiet", image];

/** Containers of a site, running or not, as JSON lines. */
export const siteContainers = (siteName: string): Argv => [
  "docker", "ps", "--all", "--no-trunc", "--filter", `label=slipway.site=${siteName}`, "--format", "{{json .}}",
];

/** Host ports of a running container, `8443/tcp -> 127.0.0.1:443` a line. */
export const publishedPorts = (container: string): Argv => ["docker", "port", container];

export const containerState = (container: string): Argv => [
  "docker", "inspect", "--type", "container", "--format", "{{json .State}}", container,
];

export const containerLogs = (container: string, lines: number): Argv => ["docker", "logs", "--tail", String(lines), container];

export const volumeExists = (volume: string): Argv => ["docker", "volume", "inspect", "--format", "{{.Mountpoint}}", volume];

export const removeVolume = (volume: string): Argv => ["docker", "volume", "rm", volume];

/** Names with tags of the images that were built for a site. */
export const siteImages = (siteName: string): Argv => [
  "docker", "image", "ls", "--filter", `reference=${siteName}-nginx`, "--filter", `reference=${siteName}-service`, "--format", "{{.Repository}}:{{.Tag}}",
];

export const removeImage = (image: string): Argv => ["docker", "image", "rm", image];

/** The daemon for a machine without an init system; it stays when the command that started it ends. */
export const daemon = (): Argv => ["setsid", "dockerd"];
