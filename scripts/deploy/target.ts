import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SiteSettings } from "../../stacks/settings.ts";
import { siteFolder } from "../../stacks/site-folder.ts";
import { connectAddress, siteHost, siteUrl } from "../core/names.ts";
import type { SiteAddress } from "../core/site-client.ts";

/** A site that is, or should be, up: how people and commands reach it. */
export interface Target {
  readonly placement: "docker" | "local";
  readonly settings: SiteSettings;
  readonly url: string;
  /** PEM file that clients should trust; `null` where the system's CAs do. */
  readonly caFile: string | null;
  readonly address: SiteAddress;
}

/** The CA file that a deployed site's clients need. */
export function dockerCaFile(settings: SiteSettings): string | null {
  return settings.tls.kind === "files" ? settings.tls.ca : join(siteFolder(settings.name), "tls", "ca.pem");
}

/** @throws Error when the CA file cannot be read */
export async function targetOf(placement: Target["placement"], settings: SiteSettings, port: number, caFile: string | null): Promise<Target> {
  const host = siteHost(settings);
  const ca = caFile === null ? {} : { ca: await readFile(caFile) };
  return { placement, settings, caFile, url: siteUrl(host, port), address: { host, address: connectAddress(settings), port, ...ca } };
}

/** Whether Slipway's own service completes the uploads; of an application's site only nginx is ours to ask. */
export const hasService = ({ settings }: Target): boolean => settings.application === null;
