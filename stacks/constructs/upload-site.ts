import { DockerProvider } from "@cdktf/provider-docker/lib/provider/index.js";
import { Op } from "cdktf";
import { Construct } from "constructs";
import type { BuildContext } from "../build/context.ts";
import type { SiteSettings } from "../settings.ts";
import { NginxContainer } from "./nginx-container.ts";
import { ServiceContainer } from "./service-container.ts";
import { SiteImage } from "./site-image.ts";
import { secretFiles } from "./site-mounts.ts";
import { SiteNetworks } from "./site-networks.ts";

/** What the images of a site are built from. */
export interface SiteContexts {
  readonly nginx: BuildContext;
  /** null when an application completes the uploads. */
  readonly service: BuildContext | null;
}

export interface UploadSiteProps {
  /** The checked props; `checkSite(props)` makes them. */
  readonly settings: SiteSettings;
  /** `siteContexts(settings)` makes them. */
  readonly contexts: SiteContexts;
  /** Absolute path on the host of the folder that holds the site's secrets and its own certificate. */
  readonly siteFolder: string;
  /**
   * Hash of the certificate in use; when it changes, nginx is replaced.
   * @default a renewed certificate is used from nginx's next start on
   */
  readonly certificateHash?: string | undefined;
}

/**
 * An upload site: nginx, which writes uploads to the store, and the service that checks, files and
 * records them, or an application of the site's own in place of the service.
 *
 * The data's volumes are not part of it: Docker makes them when they are first mounted, and
 * destroying the stack leaves them.
 */
export class UploadSite extends Construct {
  readonly networks: SiteNetworks;
  readonly nginxImage: SiteImage;
  readonly nginx: NginxContainer;
  /** undefined when an application completes the uploads. */
  readonly serviceImage: SiteImage | undefined;
  /** undefined when an application completes the uploads. */
  readonly service: ServiceContainer | undefined;

  constructor(scope: Construct, id: string, props: UploadSiteProps) {
    super(scope, id);
    const { settings, contexts } = props;
    const secrets = secretFiles(settings, props.siteFolder);
    this.networks = new SiteNetworks(this, "networks", settings);
    this.nginxImage = new SiteImage(this, "nginx-image", {
      repository: `${settings.name}-nginx`,
      folder: "images/nginx",
      context: contexts.nginx,
    });
    if (contexts.service) {
      this.serviceImage = new SiteImage(this, "service-image", {
        repository: `${settings.name}-service`,
        folder: "images/service",
        context: contexts.service,
      });
    }
    const provider = this.#providerAfterImages();
    if (this.serviceImage && this.networks.internal) {
      const { internal } = this.networks;
      this.service = new ServiceContainer(this, "service", { settings, image: this.serviceImage, network: internal, secrets, provider });
    }
    this.nginx = new NginxContainer(this, "nginx", {
      settings,
      image: this.nginxImage,
      networks: this.networks,
      secrets,
      provider,
      certificateHash: props.certificateHash,
    });
  }

  /** The images of the site, whose contexts must be staged before Terraform runs. */
  get images(): readonly SiteImage[] {
    return this.serviceImage ? [this.serviceImage, this.nginxImage] : [this.nginxImage];
  }

  /**
   * A provider for the containers that Terraform cannot start before every image is built. Without it
   * the old container is destroyed while its successor's image is still building, and a build that
   * fails leaves no site: to Terraform, destroying a container does not depend on any image, but it
   * does depend on its provider. The expression is false for every image.
   */
  #providerAfterImages(): DockerProvider {
    const unnamed = this.images.map(({ image }) => Op.eq(image.name, "unnamed"));
    return new DockerProvider(this, "after-images", {
      alias: "after_images",
      disableDockerDaemonCheck: unnamed.reduce((either, each) => Op.or(either, each)),
    });
  }
}
