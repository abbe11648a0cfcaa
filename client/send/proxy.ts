/** Connections through an HTTP proxy (CONNECT, RFC 9110 section 9.3.6). */
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
