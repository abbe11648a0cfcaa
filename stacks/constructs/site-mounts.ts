import { join, posix } from "node:path";
import type { ContainerMounts } from "@cdktf/provider-docker/lib/container/index.js";
import { VOLUME_STORE } from "../placement.ts";
import type { SiteSettings } from "../settings.ts";

const SECRETS = "/run/secrets/slipway";

/** Name of the volume that holds the database. */
export function databaseVolume(settings: SiteSettings): string {
  return `${settings.name}-database`;
}

/**
 * The store. A volume is named here and nowhere declared: Docker makes it when the first container
 * that mounts it is made, and Terraform, which does not know it, can never replace or destroy the data.
 */
export function storeMount(settings: SiteSettings): ContainerMounts {
  const { place } = settings.storage;
  return place.kind === "bind"
    ? { type: "bind", source: place.path, target: place.path }
    : { type: "volume", source: place.name, target: VOLUME_STORE };
}

/** The folder of the database, on a volume of its own; see {@link storeMount} on volumes. */
export function databaseMount(settings: SiteSettings): ContainerMounts {
  return { type: "volume", source: databaseVolume(settings), target: posix.dirname(settings.service.database) };
}

/** Files on the host that hold what may be in no image, no state and no log. */
export interface SecretFiles {
  readonly certificate: string;
  readonly key: string;
  /** The shared secret as nginx reads it. */
  readonly nginxSecret: string;
  /** The shared secret as the service reads it. */
  readonly serviceSecret: string;
}

/**
 * Absolute paths of the site's secrets.
 *
 * @param siteFolder absolute path of `.slipway/<site name>`
 */
export function secretFiles(settings: SiteSettings, siteFolder: string): SecretFiles {
  const { tls } = settings;
  return {
    certificate: tls.kind === "files" ? tls.certificate : join(siteFolder, "tls", "site.pem"),
    key: tls.kind === "files" ? tls.key : join(siteFolder, "tls", "site.key"),
    nginxSecret: join(siteFolder, "secrets", "nginx-secret.conf"),
    serviceSecret: join(siteFolder, "secrets", "secret"),
  };
}

/** A file of the host, read-only, below `/run/secrets/slipway`. */
export function secretMount(source: string, name: string): ContainerMounts {
  return { type: "bind", source, target: posix.join(SECRETS, name), readOnly: true };
}
