/** Connections through an HTTP proxy (CONNECT, RFC 9110 section 9.3.6), and when to use one. */
import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";

const problem = (message: string): Error => Object.assign(new Error(message), { code: "PROXY" });

const TUNNEL_TIMEOUT_MS = 30_000;

/**
 * A connection to a host through a proxy.
 * @throws an error of code `PROXY` when the proxy does not give one
 */
export function tunnel(proxy: URL, host: string, port: number): Promise<Socket> {
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const login = proxy.username === "" ? {} : { "Proxy-Authorization": `Basic ${Buffer.from(`${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`).toString("base64")}` };
  const options = { method: "CONNECT", path: authority, agent: false as const, headers: { Host: authority, ...login } };
  const address = new URL(proxy.origin);
  const request: ClientRequest = proxy.protocol === "https:" ? httpsRequest(address, options) : httpRequest(address, options);
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => reject(problem(`the proxy ${proxy.host} ${what}`));
    request.setTimeout(TUNNEL_TIMEOUT_MS, () => request.destroy(new Error("it does not answer")));
    request.once("error", ({ message }) => fail(`cannot be used: ${message}`));
    request.once("response", ({ statusCode }) => {
      request.destroy();
      fail(`answered ${statusCode} to CONNECT`);
    });
    request.once("connect", ({ statusCode = 0 }: IncomingMessage, socket: Socket, head: Buffer) => {
      socket.setTimeout(0);
      if (statusCode >= 200 && statusCode < 300 && head.length === 0) return resolve(socket);
      socket.destroy();
      fail(`answered ${statusCode} to CONNECT`);
    });
    request.end();
  });
}

/** A host of NO_PROXY: itself, with or without a leading dot also all below it, `*` every host; a port narrows it. */
function matches(entry: string, url: URL): boolean {
  const [, name = "", port] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry.trim().toLowerCase()) ?? [];
  if (entry.trim() === "*") return true;
  const ownPort = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  if (name === "" || (port !== undefined && port !== ownPort)) return false;
  return url.hostname === name || url.hostname.endsWith(`.${name}`);
}

/**
 * The proxy that the environment names for an address: HTTPS_PROXY or ALL_PROXY, unless NO_PROXY lists the host. Plain
 * http goes by no proxy but ALL_PROXY: HTTP_PROXY may come from a request where programs run as CGI.
 * @throws when the variable is not the address of an HTTP proxy
 */
export function proxyFor(url: URL, environment: Readonly<Record<string, string | undefined>>): URL | undefined {
  const read = (name: string): string => environment[name.toLowerCase()] ?? environment[name] ?? "";
  const text = (url.protocol === "https:" ? read("HTTPS_PROXY") : "") || read("ALL_PROXY");
  if (text === "" || read("NO_PROXY").split(/[\s,]+/).some((entry) => matches(entry, url))) return undefined;
  const address = text.includes("://") ? text : `http://${text}`;
  if (/^https?:\/\//i.test(address) && URL.canParse(address)) return new URL(address);
  throw problem(`HTTPS_PROXY: not the address of an HTTP proxy; write http://host:port`);
}
