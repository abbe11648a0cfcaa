import { Container } from "@cdktf/provider-docker/lib/container/index.js";
import type { ContainerConfig } from "@cdktf/provider-docker/lib/container/index.js";
import type { Network } from "@cdktf/provider-docker/lib/network/index.js";
import type { DockerProvider } from "@cdktf/provider-docker/lib/provider/index.js";
import { Construct } from "constructs";
import { dockerPlacement } from "../placement.ts";
import type { SiteSettings } from "../settings.ts";
import { containerLabels, hardened, privateTmpfs } from "./hardened.ts";
import type { SiteImage } from "./site-image.ts";
import { databaseMount, secretMount, storeMount } from "./site-mounts.ts";
import type { SecretFiles } from "./site-mounts.ts";

/** The service stops by itself after 10 s at most; only then is it killed. */
const STOP_SECONDS = 15;

export interface ServiceContainerProps {
  readonly settings: SiteSettings;
  readonly image: SiteImage;
  readonly network: Network;
  readonly secrets: SecretFiles;
  readonly provider: DockerProvider;
}

/** The completion service: reached by nginx alone, under the name `service`. */
export class ServiceContainer extends Construct {
  readonly container: Container;

  constructor(scope: Construct, id: string, props: ServiceContainerProps) {
    super(scope, id);
    const { settings, image } = props;
    const { memoryMiB } = settings.service;
    const config = {
      ...hardened(settings),
      name: `${settings.name}-service`,
      env: Object.entries(environment(settings)).map(([name, value]) => `${name}=${value}`).sort(),
      // The same number twice: no swap, as the limit is there to be felt before the host swaps.
      memory: memoryMiB,
      memorySwap: memoryMiB,
      mounts: [storeMount(settings), databaseMount(settings), secretMount(props.secrets.serviceSecret, "secret")],
      tmpfs: { "/tmp": privateTmpfs(settings, 16) },
      stopTimeout: STOP_SECONDS,
      destroyGraceSeconds: STOP_SECONDS,
    } satisfies Partial<ContainerConfig>;
    this.container = new Container(this, "container", {
      ...config,
      provider: props.provider,
      image: image.image.name,
      networksAdvanced: [{ name: props.network.name, aliases: ["service"] }],
      labels: containerLabels(settings, image.context.fingerprint, config),
    });
  }
}

/** The service's environment, as `docs/internals/contracts.md` has it. Nothing in it is secret. */
function environment(settings: SiteSettings): Readonly<Record<string, string>> {
  const { storage, service } = settings;
  return {
    SLIPWAY_LISTEN: "0.0.0.0:8080",
    SLIPWAY_STORE: dockerPlacement(settings).store,
    SLIPWAY_DATABASE: service.database,
    SLIPWAY_SECRET_FILE: "/run/secrets/slipway/secret",
    SLIPWAY_LOG_LEVEL: service.logLevel,
    SLIPWAY_FILE_MODE: storage.fileMode,
    SLIPWAY_DIRECTORY_MODE: storage.directoryMode,
    SLIPWAY_ABANDONED_AFTER: String(service.abandonedAfter.seconds),
    SLIPWAY_SITE_NAME: settings.name,
  };
}
