/** A TCP proxy through which the site hears everything, and its client only the beginning. */
import { connect, createServer, type Socket } from "node:net";

/** Bytes of answers on one connection that a handshake and the answer to OPTIONS have; those to forms come later. */
const BEGINNING = 4000;

export interface DeafProxy {
  readonly port: number;
  /** From now on all passes. */
  hear(): void;
  stop(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1 that keeps back what the site says, but for the beginning of each connection. */
export async function startDeafProxy(port: number): Promise<DeafProxy> {
  let isDeaf = true;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    let passed = 0;
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => undefined).on("close", () => open.delete(socket));
    }
    client.pipe(upstream);
    upstream.on("data", (bytes: Buffer) => {
      passed += bytes.length;
      if (!isDeaf || passed <= BEGINNING) client.write(bytes);
    });
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    hear: () => void (isDeaf = false),
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
