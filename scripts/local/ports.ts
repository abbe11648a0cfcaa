import { readFile } from "node:fs/promises";
import { createServer } from "node:net";

/** Ports from here on need no privilege, and few programs have one of their own. */
const FIRST = 10_000;

/** Where there are fewer of our own, the system chooses. */
const LEAST = 1000;

/** The first of the ports that the system gives to connections that go out, `ip_local_port_range` of ip(7). */
async function firstOfSystem(): Promise<number> {
  const text = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8").catch(() => "");
  return Number.parseInt(text, 10) || 32_768;
}

/** The port that is listened on when one is asked for, 0 for any; `undefined` when another program has it. */
async function portFor(wish: number, address: string): Promise<number | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(wish, address, resolve));
  } catch (error) {
    if (["EADDRINUSE", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (bound === null || typeof bound === "string") throw new Error(`no port: the system gave ${String(bound)}`);
  return bound.port;
}

/** How far this process has come; others begin elsewhere. */
let turn = Math.floor(Math.random() * 1_000_000);

/**
 * So many TCP ports of an address, all different, that nothing listens on now. None of those that a connection which
 * goes out may be given before it is used; another program may still take one.
 */
export async function freePorts(count: number, address = "127.0.0.1"): Promise<number[]> {
  const own = (await firstOfSystem()) - FIRST;
  const ports = new Set<number>();
  for (let looks = 0; ports.size < count; looks += 1) {
    const port = await portFor(own < LEAST || looks > own ? 0 : FIRST + (turn++ % own), address);
    if (port !== undefined) ports.add(port);
  }
  return [...ports];
}

/** One such port. */
export async function freePort(address = "127.0.0.1"): Promise<number> {
  const [port = 0] = await freePorts(1, address);
  return port;
}
