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
    if (contexts.service && this.networks.internal) {
      this.serviceImage = new SiteImage(this, "service-image", {
        repository: `${settings.name}-service`,
        folder: "images/service",
        context: contexts.service,
      });
      this.service = new ServiceContainer(this, "service", {
        settings,
        image: this.serviceImage,
        network: this.networks.internal,
        secrets,
      });
    }
    this.nginxImage = new SiteImage(this, "nginx-image", {
      repository: `${settings.name}-nginx`,
      folder: "images/nginx",
      context: contexts.nginx,
    });
    this.nginx = new NginxContainer(this, "nginx", {
      settings,
      image: this.nginxImage,
      networks: this.networks,
      secrets,
      certificateHash: props.certificateHash,
      service: this.service,
    });
  }

  /** The images of the site, whose contexts must be staged before Terraform runs. */
  get images(): readonly SiteImage[] {
    return this.serviceImage ? [this.serviceImage, this.nginxImage] : [this.nginxImage];
  }
}
