/** A TCP proxy through which the site hears everything, and its client only the beginning. */
import { type Relay, startRelay } from "./relay.ts";

/** Bytes of answers on one connection that a handshake and the answer to OPTIONS have; those to forms come later. */
const BEGINNING = 4000;

export interface DeafProxy extends Relay {
  /** Connections of which something was kept back. */
  readonly kept: () => number;
  /** From now on all passes. */
  hear(): void;
}

/**
 * Starts a proxy on a free port of 127.0.0.1 that keeps back what the site says, but for the beginning of each connection.
 * @param beginning bytes. @default enough for a handshake and the answer to OPTIONS
 */
export async function startDeafProxy(port: number, beginning: number = BEGINNING): Promise<DeafProxy> {
  let isDeaf = true;
  let kept = 0;
  const relay = await startRelay(port, (client, site) => {
    let passed = 0;
    let hasKept = false;
    client.pipe(site);
    site.on("data", (bytes: Buffer) => {
      passed += bytes.length;
      if (!isDeaf || passed <= beginning) {
        client.write(bytes);
      } else if (!hasKept) {
        hasKept = true;
        kept += 1;
      }
    });
    client.on("close", () => site.destroy());
  });
  return { ...relay, kept: () => kept, hear: () => void (isDeaf = false) };
}
