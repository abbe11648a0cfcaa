import { createHash } from "node:crypto";
import type { ContainerConfig } from "@cdktf/provider-docker/lib/container/index.js";
import type { SiteSettings } from "../settings.ts";

/** What every container of a site has in common: no more rights than it needs, and bounded logs. */
export function hardened(settings: SiteSettings) {
  return {
    user: `${settings.storage.uid}:${settings.storage.gid}`,
    readOnly: true,
    capabilities: { drop: ["ALL"] },
    securityOpts: ["no-new-privileges:true"],
    restart: "unless-stopped",
    logDriver: "json-file",
    logOpts: { "max-size": "10m", "max-file": "3" },
    networkMode: "bridge",
    wait: true,
    waitTimeout: 60,
  } as const satisfies Partial<ContainerConfig>;
}

/**
 * Options of a tmpfs that only the site's user may use.
 *
 * @param sizeMiB largest size; what is in it counts as memory
 */
export function privateTmpfs(settings: SiteSettings, sizeMiB: number): string {
  return `rw,nosuid,nodev,noexec,size=${sizeMiB}m,mode=0700,uid=${settings.storage.uid},gid=${settings.storage.gid}`;
}

/**
 * Labels of a container: the site's name, and a hash of its configuration. The provider changes
 * neither a health check nor a tmpfs of a container that runs; a changed label replaces it.
 *
 * @param image fingerprint of the image; in `config` it is only a reference that Terraform resolves
 */
export function containerLabels(settings: SiteSettings, image: string, config: Partial<ContainerConfig>): { label: string; value: string }[] {
  const hash = createHash("sha256").update(JSON.stringify([image, config])).digest("hex").slice(0, 12);
  return [
    { label: "slipway.config", value: hash },
    { label: "slipway.site", value: settings.name },
  ];
}
