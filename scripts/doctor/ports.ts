import { isTaken } from "../steps/ports.ts";
import { fail, ok, type Check } from "./check.ts";

export const portsCheck: Check = {
  name: "ports",
  run: async ({ settings, status }) => {
    const { address, httpsPort, httpPort } = settings.listen;
    const ports = httpPort === false ? [httpsPort] : [httpsPort, httpPort];
    if (status.placement !== null && status.healthy) return ok(`${ports.join(" and ")} are the site's`);
    const taken: number[] = [];
    for (const port of ports) if (await isTaken(address, port)) taken.push(port);
    if (taken.length === 0) return ok(`${ports.join(" and ")} are free`);
    return fail(`${taken.join(" and ")} of ${address} taken`, "another program listens there, or the site's own nginx, which is not healthy", "ss -ltnp shows which; stop it, or set listen.httpsPort and listen.httpPort");
  },
};
