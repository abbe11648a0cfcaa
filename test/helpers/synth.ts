import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Testing } from "cdktf";
import { buildContext } from "../../stacks/build/context.ts";
import { textFile } from "../../stacks/build/tree.ts";
import type { SiteContexts } from "../../stacks/constructs/upload-site.ts";
import type { SiteProps } from "../../stacks/props.ts";
import { checkSite } from "../../stacks/settings.ts";
import type { SiteSettings } from "../../stacks/settings.ts";
import { SiteStack } from "../../stacks/site-stack.ts";

/** A resource of a stack, as Terraform reads it. */
export type Resource = Readonly<Record<string, unknown>>;

/** A synthesized stack. */
export interface Synthesized {
  readonly provider: { readonly docker: readonly Resource[] };
  readonly resource: Readonly<Record<string, Readonly<Record<string, Resource>>>>;
  readonly terraform: { readonly backend: { readonly local: { readonly path: string } }; readonly required_providers: Readonly<Record<string, Resource>> };
}

export interface SynthesizeOptions {
  /** @default contexts of one small file each */
  readonly contexts?: SiteContexts;
  readonly certificateHash?: string;
}

/** The stack of a site, whose folder is `/checkout/.slipway/<name>`. */
export function synthesize(props: SiteProps, options: SynthesizeOptions = {}): Synthesized {
  const settings = checkSite(props);
  const outdir = mkdtempSync(join(tmpdir(), "slipway-synth-"));
  try {
    const app = new App({ outdir });
    const stack = new SiteStack(app, {
      settings,
      contexts: options.contexts ?? smallContexts(settings),
      siteFolder: `/checkout/.slipway/${settings.name}`,
      certificateHash: options.certificateHash,
    });
    return JSON.parse(Testing.synth(stack, true)) as Synthesized;
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** Contexts that hold next to nothing, for what is about containers alone. */
export function smallContexts(settings: SiteSettings): SiteContexts {
  const one = (name: string): SiteContexts["nginx"] => buildContext({ args: { BASE: settings.images.base }, files: [textFile("Dockerfile", name)] });
  return { nginx: one("nginx"), service: settings.application ? null : one("service") };
}

/** The only resource of a type that the construct at this path of the site made ("nginx/container"). */
export function resourceAt(stack: Synthesized, type: string, path: string): Resource {
  const name = new RegExp(`^site_${path.replaceAll("/", "_")}_[0-9A-F]{8}$`);
  const found = Object.entries(stack.resource[type] ?? {}).filter(([id]) => name.test(id));
  if (found.length !== 1) throw new Error(`${type} at ${path}: ${found.length} found`);
  return found[0]![1];
}
