/** Requests to a site, whatever is sent with them. */
import { once } from "node:events";
import { Agent, type AgentOptions, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from "node:http";
import { Agent as SecureAgent, request as httpsRequest } from "node:https";
import { isIP, type LookupFunction, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { Limiter } from "./limiter.ts";
import { tunnel } from "./proxy.ts";

export interface HttpOptions {
  /** CA certificates, PEM. @default the system's CAs */
  readonly ca?: Buffer;
  /** Bearer token for every request. @default none */
  readonly token?: string;
  /** HTTP proxy that connections go through by CONNECT. @default none */
  readonly proxy?: URL;
  /** Bytes a second of all bodies together. @default no limit */
  readonly rateBytesPerSecond?: number;
  /** IP address to connect to, whatever the URL's host resolves to. @default what it resolves to */
  readonly connectTo?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One read of the file, and so about what is in memory at a time. */
export const READ_SIZE = 256 * 1024;
const LONGEST_ANSWER = 1024 * 1024;
/** Some servers never say "100 Continue"; then the body is sent all the same (RFC 9110, section 10.1.1). */
const CONTINUE_TIMEOUT_MS = 1_000;

/** Connections to a site, kept from one request to the next, and the speed that they share. */
export class Http {
  readonly limiter: Limiter;
  readonly #agents: { readonly http: Agent; readonly https: SecureAgent };
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    const { ca, connectTo, proxy, rateBytesPerSecond } = options;
    this.#options = options;
    this.limiter = new Limiter(rateBytesPerSecond);
    const lookup: { lookup?: LookupFunction } = connectTo === undefined ? {} : { lookup: fixed(connectTo) };
    const kept = { keepAlive: true, ...lookup };
    this.#agents = { http: new Agent(kept), https: new SecureAgent({ ...kept, ...(ca === undefined ? {} : { ca }) }) };
    if (proxy === undefined) return;
    tunnelled(this.#agents.http, proxy, (socket) => socket);
    tunnelled(this.#agents.https, proxy, (socket, about) => connectTls({ ...about, socket }));
  }

  /** Opens a request; the caller writes the body and ends it. */
  open(method: string, url: URL, more: OutgoingHttpHeaders, signal?: AbortSignal): ClientRequest {
    const { token } = this.#options;
    const headers = { Accept: "application/json", "User-Agent": "slipway-push", ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }), ...more };
    const options = { method, headers, ...(signal === undefined ? {} : { signal }) };
    const request = url.protocol === "https:" ? httpsRequest(url, { ...options, agent: this.#agents.https }) : httpRequest(url, { ...options, agent: this.#agents.http });
    // Whoever waits hears of it; when nobody does any more, as after an early answer, it is nothing.
    return request.on("error", () => undefined);
  }

  /** Writes a part of a body at the common speed. @throws what broke the connection */
  async write(request: ClientRequest, bytes: Buffer, signal?: AbortSignal): Promise<void> {
    const size = this.limiter.writeSize;
    for (let at = 0; at < bytes.length; at += size) {
      const some = bytes.subarray(at, at + size);
      await this.limiter.take(some.length, signal);
      if (!request.write(some)) await drained(request);
    }
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }
}

/** Makes an agent's new connections go through a proxy. */
function tunnelled(agent: Agent, proxy: URL, secure: (socket: Socket, about: ConnectionOptions) => Socket): void {
  Object.assign(agent, {
    createConnection(about: AgentOptions & ConnectionOptions, created: (error: Error | null, socket?: Socket) => void): void {
      tunnel(proxy, about.host ?? "", Number(about.port)).then((socket) => created(null, secure(socket, about)), (error: Error) => created(error));
    },
  });
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

/** Until the server wants the body, has answered without it, or has been silent for long enough. */
export async function continued(request: ClientRequest): Promise<void> {
  const ended = new AbortController();
  const { signal } = ended;
  // The time counts from the connection on: a slow handshake is no sign of an old server.
  const silent = async (): Promise<void> => {
    const socket = request.socket ?? ((await once(request, "socket", { signal })) as [Socket])[0];
    if (!request.reusedSocket) await once(socket, request.protocol === "https:" ? "secureConnect" : "connect", { signal });
    await sleep(CONTINUE_TIMEOUT_MS, undefined, { signal });
  };
  try {
    await Promise.race([once(request, "continue", { signal }), once(request, "response", { signal }), silent()]);
  } finally {
    ended.abort();
  }
}

/** Until more can be written, or an answer makes that pointless. Leaves no listener behind: a large file waits often. */
function drained(request: ClientRequest): Promise<void> {
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
