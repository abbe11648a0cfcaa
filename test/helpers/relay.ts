/** A TCP server each of whose connections is joined to one of a site's: what goes between them is its user's matter. */
import { connect, createServer, type Socket } from "node:net";

export interface Relay {
  /** Free port of 127.0.0.1 that it listens on. */
  readonly port: number;
  /** Ends every connection. */
  stop(): Promise<void>;
}

/**
 * @param port of the site, on 127.0.0.1
 * @param join passes the bytes of one connection on. When the site's end closes, the client's is closed too; the other
 *   way round is up to it
 */
export async function startRelay(port: number, join: (client: Socket, site: Socket) => void): Promise<Relay> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const site = connect(port, "127.0.0.1");
    for (const socket of [client, site]) {
      open.add(socket);
      socket.on("error", () => undefined).on("close", () => open.delete(socket));
    }
    site.on("close", () => client.destroy());
    join(client, site);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
