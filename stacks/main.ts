import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { App } from "cdktf";
import { siteContexts } from "../images/site-contexts.ts";
import { secretFiles } from "./constructs/site-mounts.ts";
import { loadSite } from "./load-site.ts";
import { SiteProblems } from "./settings.ts";
import { siteFolder } from "./site-folder.ts";
import { SiteStack } from "./site-stack.ts";

/** What `cdktf.json` runs: the site's props in, its Terraform stack and build contexts out. */
async function main(): Promise<void> {
  const settings = await loadSite();
  const contexts = await siteContexts(settings);
  const folder = siteFolder(settings.name);
  const app = new App();
  const stack = new SiteStack(app, {
    settings,
    contexts,
    siteFolder: folder,
    certificateHash: hashOf(secretFiles(settings, folder).certificate),
  });
  stack.stage();
  app.synth();
}

/** Start of the file's SHA-256, or undefined when it cannot be read: the deploy then says so itself. */
function hashOf(path: string): string | undefined {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 12);
  } catch {
    return undefined;
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SiteProblems)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
