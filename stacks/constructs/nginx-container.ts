import { Container } from "@cdktf/provider-docker/lib/container/index.js";
import type { ContainerConfig, ContainerMounts, ContainerNetworksAdvanced } from "@cdktf/provider-docker/lib/container/index.js";
import type { DockerProvider } from "@cdktf/provider-docker/lib/provider/index.js";
import { Construct } from "constructs";
import type { SiteSettings } from "../settings.ts";
import { containerLabels, hardened, privateTmpfs } from "./hardened.ts";
import type { SiteImage } from "./site-image.ts";
import { secretMount, storeMount } from "./site-mounts.ts";
import type { SecretFiles } from "./site-mounts.ts";
import type { SiteNetworks } from "./site-networks.ts";

/** Time that uploads in flight have to finish before a container that is replaced is killed. */
const STOP_SECONDS = 30;

export interface NginxContainerProps {
  readonly settings: SiteSettings;
  readonly image: SiteImage;
  readonly networks: SiteNetworks;
  readonly secrets: SecretFiles;
  readonly provider: DockerProvider;
  /** Hash of the certificate in use: a renewed one reaches nginx by a new container. Undefined when it cannot be read. */
  readonly certificateHash: string | undefined;
}

/**
 * nginx: the only container that is reached from outside, on 8443 and 8080 inside. It looks the
 * service's address up when it needs it, so the two may start, and be replaced, in any order.
 */
export class NginxContainer extends Construct {
  readonly container: Container;

  constructor(scope: Construct, id: string, props: NginxContainerProps) {
    super(scope, id);
    const { settings, image } = props;
    const config = {
      ...hardened(settings),
      name: `${settings.name}-nginx`,
      ports: publishedPorts(settings),
      mounts: mounts(settings, props.secrets),
      tmpfs: { "/run/slipway": privateTmpfs(settings, 1), "/tmp": privateTmpfs(settings, 64) },
      host: reachesHost(settings) ? [{ host: "host.docker.internal", ip: "host-gateway" }] : [],
      stopSignal: "SIGQUIT",
      stopTimeout: STOP_SECONDS,
      destroyGraceSeconds: STOP_SECONDS,
    } satisfies Partial<ContainerConfig>;
    const labels = containerLabels(settings, image.context.fingerprint, config);
    if (props.certificateHash !== undefined) labels.unshift({ label: "slipway.certificate", value: props.certificateHash });
    this.container = new Container(this, "container", {
      ...config,
      provider: props.provider,
      image: image.image.name,
      networksAdvanced: joinedNetworks(settings, props.networks),
      labels,
    });
  }
}

/** In the order of the inner ports: the provider reads them back sorted by it. */
function publishedPorts(settings: SiteSettings): { internal: number; external: number; ip: string }[] {
  const { address, httpPort, httpsPort } = settings.listen;
  const http = httpPort === false ? [] : [{ internal: 8080, external: httpPort, ip: address }];
  return [...http, { internal: 8443, external: httpsPort, ip: address }];
}

function mounts(settings: SiteSettings, secrets: SecretFiles): ContainerMounts[] {
  const own = settings.application ? [] : [secretMount(secrets.nginxSecret, "nginx-secret.conf")];
  return [storeMount(settings), secretMount(secrets.certificate, "site.pem"), secretMount(secrets.key, "site.key"), ...own];
}

function joinedNetworks(settings: SiteSettings, networks: SiteNetworks): ContainerNetworksAdvanced[] {
  const applications = settings.application?.network;
  return [
    { name: networks.edge.name },
    ...(networks.internal ? [{ name: networks.internal.name }] : []),
    ...(applications ? [{ name: applications }] : []),
  ];
}

function reachesHost(settings: SiteSettings): boolean {
  return settings.application?.address.startsWith("host.docker.internal:") ?? false;
}
