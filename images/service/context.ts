import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildContext } from "../../stacks/build/context.ts";
import type { BuildContext } from "../../stacks/build/context.ts";
import { bytesOf } from "../../stacks/build/fingerprint.ts";
import type { ContextFile } from "../../stacks/build/fingerprint.ts";
import { filesBelow, hostFile } from "../../stacks/build/tree.ts";
import type { SiteSettings } from "../../stacks/settings.ts";
import { commonArgs, databaseFolder } from "../common-args.ts";
import { bundleService } from "../service-bundle.ts";
import { fetchServiceRuntime } from "../service-runtime.ts";

const HERE = import.meta.dirname;

/** Inputs of the service's image: a Node binary, the bundled service, and its native parts. */
export async function serviceContext(settings: SiteSettings): Promise<BuildContext> {
  return buildContext({
    args: { ...commonArgs(settings), DATABASE_DIR: databaseFolder(settings) },
    files: [
      hostFile(join(HERE, "Dockerfile"), "Dockerfile"),
      hostFile(join(HERE, "..", "check-health"), "check-health"),
      { path: "node", mode: 0o755, content: await fetchServiceRuntime() },
      ...(await bundledFiles()),
    ],
  });
}

async function bundledFiles(): Promise<ContextFile[]> {
  const folder = mkdtempSync(join(tmpdir(), "slipway-bundle-"));
  try {
    await bundleService(folder);
    // Read now, as the folder goes.
    return filesBelow(folder, "service").map((file) => ({ ...file, content: bytesOf(file) }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
