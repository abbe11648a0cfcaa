import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { SiteProblems } from "../../lib/problems.ts";
import { buildContext } from "../../stacks/build/context.ts";
import type { BuildContext } from "../../stacks/build/context.ts";
import type { ContextFile } from "../../stacks/build/fingerprint.ts";
import { filesBelow, hostFile, textFile } from "../../stacks/build/tree.ts";
import { errorPages } from "../../stacks/nginx/error-pages.ts";
import { renderNginx } from "../../stacks/nginx/render.ts";
import { dockerPlacement } from "../../stacks/placement.ts";
import type { ModuleSettings, SiteSettings } from "../../stacks/settings.ts";
import { commonArgs } from "../common-args.ts";

const HERE = import.meta.dirname;
const OWN_MODULE = join(HERE, "..", "..", "module");

/** Of the module's folder, what its build does not read. */
const NOT_BUILT = new Set([".git", "fuzz"]);

/**
 * Inputs of the nginx image: the module's source, the rendered configuration and the error pages.
 *
 * @throws {SiteProblems} when the module's source is not what the site's props say
 */
export function nginxContext(settings: SiteSettings): BuildContext {
  return buildContext({
    args: { ...commonArgs(settings), HASH_LEVELS: settings.storage.hashLevels.join(" ") },
    files: [
      ...["Dockerfile", "build-module", "entrypoint", "prepare-store"].map((name) => hostFile(join(HERE, name), name)),
      hostFile(join(HERE, "..", "check-health"), "check-health"),
      ...moduleSource(settings.images.module),
      textFile("nginx.conf", renderNginx(settings, dockerPlacement(settings))),
      ...[...errorPages()].map(([name, body]) => textFile(`errors/${name}`, body)),
    ],
  });
}

function moduleSource(module: ModuleSettings): ContextFile[] {
  switch (module.kind) {
    case "own":
      return filesBelow(OWN_MODULE, "module", NOT_BUILT);
    case "folder":
      if (!statSync(join(module.path, "config"), { throwIfNoEntry: false })?.isFile()) {
        throw problem("path", 'not the source of an nginx module, it has no file "config"', module.path, "give the folder that holds it");
      }
      return filesBelow(module.path, "module", NOT_BUILT);
    case "archive":
      return [archive(module.path, module.sha256)];
  }
}

function archive(path: string, sha256: string): ContextFile {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw problem("path", "no such file", path, "give the absolute path of a .tar.gz");
  }
  const content = readFileSync(path);
  const actual = createHash("sha256").update(content).digest("hex");
  if (actual !== sha256.toLowerCase()) {
    throw problem("sha256", `not the SHA-256 of ${path}`, sha256, `if the archive is the one you mean, use "${actual}"`);
  }
  return { path: "module/archive.tar.gz", mode: 0o644, content };
}

function problem(member: string, what: string, got: string, fix: string): SiteProblems {
  return new SiteProblems([{ path: `images.module.${member}`, what, got, fix }]);
}
