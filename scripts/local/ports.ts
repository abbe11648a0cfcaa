import { createServer } from "node:net";

/** A TCP port of an address that nothing listens on now. Another program may take it before it is used. */
export async function freePort(address = "127.0.0.1"): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, address, resolve);
  });
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (bound === null || typeof bound === "string") throw new Error(`no port: the system gave ${String(bound)}`);
  return bound.port;
}
