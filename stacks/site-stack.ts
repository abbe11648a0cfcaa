import { rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { DockerProvider } from "@cdktf/provider-docker/lib/provider/index.js";
import { App, LocalBackend, TerraformStack } from "cdktf";
import { stageContext } from "./build/context.ts";
import { UploadSite } from "./constructs/upload-site.ts";
import type { UploadSiteProps } from "./constructs/upload-site.ts";

/** The bindings ask for 3.6.2, which loses stopped containers on a refresh; every attribute in use is the same in this one. */
const PROVIDER_VERSION = "4.6.0";

/** The Terraform stack of one site; its name is the site's. */
export class SiteStack extends TerraformStack {
  readonly site: UploadSite;
  readonly #folder: string;

  constructor(app: App, props: UploadSiteProps) {
    super(app, props.settings.name);
    this.#folder = resolve(app.outdir, app.manifest.forStack(this).workingDirectory);
    this.addOverride("terraform.required_providers.docker.version", PROVIDER_VERSION);
    new DockerProvider(this, "docker");
    // Relative, so that the stack is the same on every machine; Terraform runs in the stack's folder.
    new LocalBackend(this, { path: relative(this.#folder, join(props.siteFolder, "terraform.tfstate")) });
    this.site = new UploadSite(this, "site", props);
  }

  /** Writes the images' build contexts to where the stack says that they are. */
  stage(): void {
    for (const { folder, context, logFile } of this.site.images) {
      stageContext(join(this.#folder, folder), context);
      rmSync(join(this.#folder, logFile), { force: true }); // a build appends to it
    }
  }
}
