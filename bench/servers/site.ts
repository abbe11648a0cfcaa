/**
 * A whole site, nginx and service, in a process of its own, so that it can be started in a network namespace.
 *
 * Arguments: ROOT ADDRESS. Prints a line of JSON, {@link SiteReady}, once it answers; ends with SIGTERM or its stdin.
 */
import { startLocalSite } from "../../scripts/local/site.ts";

/** What there is to know of a site that runs. */
export interface SiteReady {
  /** `https://10.77.0.2:8443`. */
  readonly url: string;
  readonly caFile: string;
  /** Folder that finished uploads go to. */
  readonly files: string;
  readonly pids: readonly number[];
}

const [root, address] = process.argv.slice(2);
const site = await startLocalSite({ site: { name: "bench", listen: { address: address!, publicWithoutAuthentication: true } }, root: root! });
const ready: SiteReady = { url: `https://${address}:${site.address.port}`, caFile: site.caFile!, files: `${site.store}/files`, pids: Object.values(site.pids).filter((pid) => pid !== undefined) };
process.stdout.write(`${JSON.stringify(ready)}\n`);

const end = (): void => void site.stop().then(() => process.exit(0));
process.once("SIGTERM", end);
process.stdin.once("end", end).resume();
