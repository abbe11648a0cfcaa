import { Image } from "@cdktf/provider-docker/lib/image/index.js";
import { Construct } from "constructs";
import { BUILD_HOSTS } from "../build/context.ts";
import type { BuildContext } from "../build/context.ts";

export interface SiteImageProps {
  /** `<site name>-nginx` or `<site name>-service`. */
  readonly repository: string;
  /** Folder of the staged context, relative to the stack's own folder, so that no machine's path is in the stack. */
  readonly folder: string;
  readonly context: BuildContext;
}

/**
 * An image named by its content: the tag changes if and only if an input of the build does, so
 * Terraform, which does not look into build contexts, builds when it must and only then.
 */
export class SiteImage extends Construct {
  readonly image: Image;
  /** Where the context must be staged before Terraform runs; relative to the stack's folder. */
  readonly folder: string;
  readonly context: BuildContext;
  /** What the build wrote, with the reason of a failure, of which Terraform tells the exit code alone; relative to the stack's folder. */
  readonly logFile: string;

  constructor(scope: Construct, id: string, props: SiteImageProps) {
    super(scope, id);
    this.folder = props.folder;
    this.logFile = `${props.folder}.log`;
    this.context = props.context;
    this.image = new Image(this, "image", {
      name: `${props.repository}:${props.context.fingerprint.slice(0, 12)}`,
      // Its successor is built while it still runs; it stays for a way back, and its layers for the next build.
      keepLocally: true,
      lifecycle: { createBeforeDestroy: true },
      buildAttribute: {
        context: props.folder,
        buildArgs: { ...props.context.args },
        buildLogFile: this.logFile,
        extraHosts: [...BUILD_HOSTS],
      },
    });
  }
}
