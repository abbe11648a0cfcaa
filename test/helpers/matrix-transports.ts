/** The ways in which an exchange can reach nginx. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Exchange } from "./matrix-cases.ts";
import { Http2Client } from "./matrix-http2.ts";
import type { Nginx, NginxProgram } from "./nginx.ts";
import { boundary, chunked, head, type WireAnswer, WireClient } from "./wire.ts";

/** Bytes of every head of HTTP/1.1: half of client_header_buffer_size; the other half takes the body's first bytes. */
const HEAD_LENGTH = 512;

/** What the client saw. */
export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Where the exchanges go. */
export interface Place {
  readonly site: Nginx;
  readonly ca: Buffer;
  readonly program?: NginxProgram | undefined;
}

export interface Transport {
  readonly name: string;
  /** Carries the exchanges in turn; their number goes in the argument x. */
  run(place: Place, exchanges: readonly Exchange[]): Promise<Reply[]>;
}

const target = (exchange: Exchange, number: number): string => `${exchange.path}?x=${number}`;
const headerLines = ({ headers = {} }: Exchange): string[] => Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
const typeOf = ({ type }: Exchange): string | null => (type === undefined ? `multipart/form-data; boundary=${boundary}` : type);

function pieces({ body, cuts }: Exchange): Buffer[] {
  const places = [0, ...cuts.filter((cut) => cut > 0 && cut < body.length), body.length];
  return places.slice(1).map((end, i) => body.subarray(places[i], end));
}

/** A head of exactly HEAD_LENGTH bytes. */
function padded(exchange: Exchange, number: number, extra: readonly string[], length: number | null): Buffer {
  const options = { method: exchange.method, type: typeOf(exchange), length };
  const path = target(exchange, number);
  const lines = [...headerLines(exchange), ...extra];
  const missing = HEAD_LENGTH - head(path, { ...options, extra: [...lines, "X-Pad: "] }).length;
  return head(path, { ...options, extra: [...lines, `X-Pad: ${"p".repeat(missing)}`] });
}

const request = (exchange: Exchange, number: number): Buffer[] => {
  const [first = Buffer.alloc(0), ...rest] = pieces(exchange);
  return [Buffer.concat([padded(exchange, number, [], exchange.body.length), first]), ...rest];
};

const open = ({ site, ca }: Place, secure: boolean): Promise<WireClient> => (secure ? WireClient.open(site.tlsPort, ca) : WireClient.open(site.port));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function writeAll(client: WireClient, parts: readonly Buffer[]): Promise<void> {
  for (const part of parts) {
    client.write(part);
    await turn();
  }
}

type Send = (client: WireClient, exchange: Exchange, number: number) => Promise<WireAnswer>;

/** One exchange after the other: each on a connection of its own, or over TLS, where that takes long, until one is refused. */
async function oneByOne(place: Place, exchanges: readonly Exchange[], secure: boolean, send: Send): Promise<Reply[]> {
  const replies: Reply[] = [];
  let client: WireClient | undefined;
  try {
    for (const [number, exchange] of exchanges.entries()) {
      client ??= await open(place, secure);
      const answer = await send(client, exchange, number);
      replies.push(answer);
      if (secure && answer.status < 400 && answer.headers["connection"] !== "close") continue;
      client.destroy();
      client = undefined;
    }
  } finally {
    client?.destroy();
  }
  return replies;
}

async function withLength(client: WireClient, exchange: Exchange, number: number): Promise<WireAnswer> {
  await writeAll(client, request(exchange, number));
  return client.answer();
}

async function withChunks(client: WireClient, exchange: Exchange, number: number): Promise<WireAnswer> {
  await writeAll(client, [padded(exchange, number, ["Transfer-Encoding: chunked"], null), chunked(exchange.body, exchange.chunk)]);
  return client.answer();
}

/** The body comes alone: it begins at the start of a buffer. */
async function withExpect(client: WireClient, exchange: Exchange, number: number): Promise<WireAnswer> {
  client.write(padded(exchange, number, ["Expect: 100-continue"], exchange.body.length));
  const first = await client.answer();
  if (first.status !== 100) return first;
  await writeAll(client, pieces(exchange));
  return client.answer();
}

/** The next answer, or undefined when nginx closed behind the one before on this connection, which refused a body. */
async function nextAnswer(client: WireClient, before: Reply | undefined): Promise<WireAnswer | undefined> {
  try {
    return await client.answer();
  } catch (error) {
    if (before === undefined || before.status < 400) throw error;
    return undefined;
  }
}

/**
 * Exchanges on one connection, with so many in a write; what is behind a refusal goes again on a new connection when
 * nginx closes.
 */
async function together(place: Place, exchanges: readonly Exchange[], secure: boolean, atOnce: number): Promise<Reply[]> {
  const replies: Reply[] = [];
  let client = await open(place, secure);
  let before: Reply | undefined;
  try {
    while (replies.length < exchanges.length) {
      const group = exchanges.slice(replies.length, replies.length + atOnce);
      const parts = group.map((exchange, i) => request(exchange, replies.length + i));
      await writeAll(client, atOnce === 1 ? parts.flat() : [Buffer.concat(parts.flat())]);
      for (const _ of group) {
        const answer = await nextAnswer(client, before);
        if (answer !== undefined) replies.push(answer);
        before = answer;
        if (answer !== undefined && answer.headers["connection"] !== "close") continue;
        before = undefined;
        client.destroy();
        client = await open(place, secure);
        break;
      }
    }
  } finally {
    client.destroy();
  }
  return replies;
}

/** One exchange after the other on a connection, each piece a frame of its own. */
async function overHttp2({ site, ca }: Place, exchanges: readonly Exchange[], secure: boolean, length: boolean): Promise<Reply[]> {
  const connect = (): Http2Client => (secure ? new Http2Client(`https://127.0.0.1:${site.tlsPort}`, ca) : new Http2Client(join(site.folder, "h2.sock")));
  const replies: Reply[] = [];
  let client = connect();
  try {
    for (const [number, exchange] of exchanges.entries()) {
      if (!client.usable) client = connect();
      const type = typeOf(exchange);
      const headers = {
        ":method": exchange.method,
        ":path": target(exchange, number),
        ...exchange.headers,
        ...(type === null ? {} : { "content-type": type }),
        ...(length ? { "content-length": exchange.body.length } : {}),
      };
      replies.push(await client.request(headers, pieces(exchange)));
    }
  } finally {
    client.destroy();
  }
  return replies;
}

/** curl's configuration for one exchange; see curl(1), option --config. */
function curlSection(exchange: Exchange, number: number, url: string, folder: string, length: boolean): string {
  const type = typeOf(exchange);
  writeFileSync(join(folder, `${number}.in`), exchange.body);
  return [
    `url = "${url}${target(exchange, number)}"`,
    `request = "${exchange.method}"`,
    `header = "Content-Type:${type === null ? "" : ` ${type}`}"`,
    ...headerLines(exchange).map((line) => `header = "${line.replaceAll('"', '\\"')}"`),
    ...(length ? [] : ['header = "Content-Length:"']),
    `data-binary = "@${join(folder, `${number}.in`)}"`,
    `output = "${join(folder, `${number}.out`)}"`,
    `write-out = "${number} %{http_code} %{http_version}\\n"`,
    "insecure",
    "http3-only",
    "silent", "show-error",
  ].join("\n");
}

/**
 * Sends with curl whatever has no answer yet, and notes the answers. curl with OpenSSL's QUIC gives an exchange up when
 * the server answers, and closes the stream, while it still writes (error 95): RFC 9114 section 4.1.1 allows a server that.
 */
async function curl(folder: string, sections: readonly string[], replies: Map<number, Reply>, shell: (script: string) => readonly [string, ...string[]]): Promise<string> {
  const missing = sections.filter((_, number) => !replies.has(number));
  writeFileSync(join(folder, "curlrc"), missing.join("\nnext\n"));
  const [command, ...argv] = shell(`curl --config ${folder}/curlrc`);
  const { stdout, stderr } = await execa(command, argv, { reject: false });
  for (const line of stdout.split("\n")) {
    const [number = "", status = "", version] = line.split(" ");
    if (version === "3") replies.set(Number(number), { status: Number(status), body: status.startsWith("2") ? readFileSync(join(folder, `${number}.out`), "utf8") : "" });
  }
  return stderr;
}

async function overHttp3({ site, program }: Place, exchanges: readonly Exchange[], length: boolean): Promise<Reply[]> {
  const folder = join(site.folder, length ? "h3-length" : "h3-stream");
  mkdirSync(folder);
  const url = `https://127.0.0.1:${site.tlsPort}`;
  const sections = exchanges.map((exchange, number) => curlSection(exchange, number, url, folder, length));
  const replies = new Map<number, Reply>();
  let errors = "";
  for (let i = 0; i < 10 && replies.size < exchanges.length; i++) {
    errors = await curl(folder, sections, replies, (script) => program!.shell(script, site.folder));
    if (/^curl: \((?!95\))/m.test(errors)) break;
  }
  return exchanges.map((_, number) => replies.get(number) ?? { status: 0, body: errors });
}

const http1 = (secure: boolean): Transport[] => [
  { name: "with a length", run: (place, exchanges) => oneByOne(place, exchanges, secure, withLength) },
  { name: "chunked", run: (place, exchanges) => oneByOne(place, exchanges, secure, withChunks) },
  { name: "with Expect: 100-continue", run: (place, exchanges) => oneByOne(place, exchanges, secure, withExpect) },
  { name: "kept alive", run: (place, exchanges) => together(place, exchanges, secure, 1) },
  { name: "pipelined", run: (place, exchanges) => together(place, exchanges, secure, 2) },
];

const http2 = (secure: boolean): Transport[] => [
  { name: "with a length", run: (place, exchanges) => overHttp2(place, exchanges, secure, true) },
  { name: "without a length", run: (place, exchanges) => overHttp2(place, exchanges, secure, false) },
];

/** All transports by family; one nginx serves a family. */
export const families: Readonly<Record<string, readonly Transport[]>> = {
  "HTTP/1.1 in clear": http1(false),
  "HTTP/1.1 over TLS": http1(true),
  "HTTP/2 in clear": http2(false),
  "HTTP/2 over TLS": http2(true),
};

/** Needs an nginx and a curl that have it. */
export const http3: readonly Transport[] = [
  { name: "with a length", run: (place, exchanges) => overHttp3(place, exchanges, true) },
  { name: "without a length", run: (place, exchanges) => overHttp3(place, exchanges, false) },
];
