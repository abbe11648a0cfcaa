import { Network } from "@cdktf/provider-docker/lib/network/index.js";
import { Construct } from "constructs";
import type { SiteSettings } from "../settings.ts";

/** The site's networks: nginx is on both, the service on the internal one alone. */
export class SiteNetworks extends Construct {
  /** Bridge on which nginx's ports are published. */
  readonly edge: Network;
  /** Between nginx and the service, without a way out; undefined when an application completes the uploads. */
  readonly internal: Network | undefined;

  constructor(scope: Construct, id: string, settings: SiteSettings) {
    super(scope, id);
    const labels = [{ label: "slipway.site", value: settings.name }];
    this.edge = new Network(this, "edge", { name: `${settings.name}-edge`, driver: "bridge", labels });
    this.internal = settings.application
      ? undefined
      : new Network(this, "internal", { name: `${settings.name}-internal`, driver: "bridge", internal: true, labels });
  }
}
