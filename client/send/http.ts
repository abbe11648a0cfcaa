/** Requests to a site, whatever is sent with them. */
import { once } from "node:events";
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";

export interface SendOptions {
  readonly url: URL;
  /** CA certificate, PEM. @default the system's CAs */
  readonly ca?: Buffer;
  readonly description?: string;
  /** IP address to connect to, whatever the URL's host resolves to. @default what it resolves to */
  readonly connectTo?: string;
  /** Called with the bytes of the file sent so far. */
  readonly onProgress?: (sent: number) => void;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One read of the file, and so about what is in memory at a time. */
export const READ_SIZE = 256 * 1024;
const LONGEST_ANSWER = 1024 * 1024;

/** Opens a request on a connection of its own; the caller writes the body and ends it. */
export function open(options: SendOptions, method: string, url: URL, more: OutgoingHttpHeaders): ClientRequest {
  const { ca, connectTo } = options;
  const lookup: { lookup?: LookupFunction } = connectTo === undefined ? {} : { lookup: fixed(connectTo) };
  const headers = { Accept: "application/json", "User-Agent": "slipway-push", ...more };
  return url.protocol === "https:"
    ? httpsRequest(url, { method, headers, agent: false, ...lookup, ...(ca === undefined ? {} : { ca }) })
    : httpRequest(url, { method, headers, agent: false, ...lookup });
}

/** A look-up that always finds one address. */
const fixed = (address: string): LookupFunction => (_host, { all }, callback) => {
  const family = isIP(address);
  if (all === true) callback(null, [{ address, family }]);
  else callback(null, address, family);
};

/** The answer to a request, read whole. @throws what broke the connection */
export async function answerOf(request: ClientRequest): Promise<Answer> {
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length <= LONGEST_ANSWER) parts.push(part);
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString("utf8") };
}

/** Until more can be written, or an answer makes that pointless. Leaves no listener behind: a large file waits often. */
export function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    // A request whose connection is gone takes writes without a word and never drains.
    if (request.destroyed) return reject(request.errored ?? Object.assign(new Error("the connection is closed"), { code: "ECONNRESET" }));
    const settle = (error?: Error): void => {
      for (const event of ["drain", "response", "close"]) request.off(event, onEnd);
      request.off("error", settle);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onEnd = (): void => settle();
    for (const event of ["drain", "response", "close"]) request.once(event, onEnd);
    request.once("error", settle);
  });
}
