import { createServer, type Server } from "node:net";

async function portOf(server: Server): Promise<number> {
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (bound === null || typeof bound === "string") throw new Error(`no port: the system gave ${String(bound)}`);
  return bound.port;
}

/** So many TCP ports of an address, all different, that nothing listens on now. Another program may take one before it is used. */
export async function freePorts(count: number, address = "127.0.0.1"): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, address, resolve))));
  return Promise.all(servers.map(portOf));
}

/** One such port. */
export async function freePort(address = "127.0.0.1"): Promise<number> {
  const [port = 0] = await freePorts(1, address);
  return port;
}
