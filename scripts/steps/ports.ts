import { createServer } from "node:net";
import type { SiteSettings } from "../../stacks/settings.ts";
import { publishedPorts } from "../commands/docker.ts";
import type { Machine } from "../core/machine.ts";
import { Problem } from "../core/problem.ts";
import { found, type Step } from "./step.ts";

/** The site's ports are its own or free. Found before a deploy, a taken port costs nothing; later it costs an outage. */
export const portsStep = (machine: Machine, settings: SiteSettings): Step => ({
  name: "ports",
  after: ["docker"],
  run: async () => {
    const ours = portsOf((await machine.run(publishedPorts(`${settings.name}-nginx`))).stdout);
    const { address, httpsPort, httpPort } = settings.listen;
    const wanted: readonly (readonly [string, number])[] = [["httpsPort", httpsPort], ...(httpPort === false ? [] : [["httpPort", httpPort] as const])];
    const problems: string[] = [];
    for (const [setting, port] of wanted) {
      if (!ours.has(port) && (await isTaken(address, port))) {
        problems.push(`site.listen.${setting}: another program listens on it, got ${port}; stop that program (see: ss -ltnp) or choose another port`);
      }
    }
    if (problems.length > 0) throw new Problem(problems);
    return found(`${wanted.map(([, port]) => port).join(" and ")} of ${address} ${ours.size > 0 ? "are the site's" : "are free"}`);
  },
});

/** Host ports in the output of `docker port`: `8443/tcp -> 127.0.0.1:443`. */
export const portsOf = (output: string): ReadonlySet<number> => new Set([...output.matchAll(/:(\d+)$/gm)].map((match) => Number(match[1])));

/** Whether something listens on a port. One that this user may not try counts as free: Docker's own error will tell. */
export async function isTaken(address: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: address, port, exclusive: true }, resolve);
    });
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EADDRINUSE";
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
