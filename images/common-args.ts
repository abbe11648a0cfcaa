import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { dockerPlacement } from "../stacks/placement.ts";
import type { SiteSettings } from "../stacks/settings.ts";

/** `ARG` values that both Dockerfiles take. */
export function commonArgs(settings: SiteSettings): Readonly<Record<string, string>> {
  const { storage, images } = settings;
  return {
    BASE: images.base,
    SITE_UID: String(storage.uid),
    SITE_GID: String(storage.gid),
    STORE: dockerPlacement(settings).store,
    DIRECTORY_MODE: storage.directoryMode,
    VERSION: version(),
  };
}

/** The folder of the service's database, inside its container. */
export function databaseFolder(settings: SiteSettings): string {
  return posix.dirname(settings.service.database);
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8"));
  return (manifest as { version: string }).version;
}
