import { randomBytes } from "node:crypto";
import { request as httpsRequest } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";
import type { Wording } from "./dialects.ts";

/** Where a site answers: what every client here needs to know. */
export interface Target {
  /** Address of the site, e.g. `https://localhost:18443`. */
  readonly url: string;
  /** CA certificate that signed the site's, PEM text. */
  readonly ca: string;
}

export interface Answer {
  readonly status: number;
  /** Names in lower case; repeated ones joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly text: string;
}

/** The body of an answer as JSON; a failure shows the text instead of a parser's position. */
export function json<T = Record<string, unknown>>(answer: Answer): T {
  try {
    return JSON.parse(answer.text) as T;
  } catch {
    throw new Error(`status ${answer.status}: not JSON: ${answer.text.slice(0, 300)}`);
  }
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** What the second half of the body waits for: milliseconds, or an event. @default the body is sent at once */
  readonly pause?: number | Promise<unknown>;
}

/** One request on a connection of its own. Rejects when the connection breaks before the answer is whole. */
export function send(target: Target, path: string, { method = "GET", headers = {}, body, pause }: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const outgoing = httpsRequest(new URL(path, target.url), { method, ca: target.ca, agent: false, maxHeaderSize: 64 * 1024, headers: { ...length, ...headers } }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const whole = Buffer.concat(chunks);
        const names = Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]);
        resolve({ status: incoming.statusCode ?? 0, headers: Object.fromEntries(names) as Record<string, string>, body: whole, text: whole.toString("utf8") });
      });
    });
    outgoing.on("error", reject);
    if (body === undefined || pause === undefined) return void outgoing.end(body);
    const half = body.length >> 1;
    outgoing.write(body.subarray(0, half));
    void (typeof pause === "number" ? sleep(pause) : pause).finally(() => outgoing.end(body.subarray(half)));
  });
}

/** One part of a form: a file when it has a `filename`. */
export interface Part {
  readonly name: string;
  readonly filename?: string | Buffer;
  readonly type?: string;
  readonly content: string | Buffer;
}

export interface Form {
  readonly contentType: string;
  readonly boundary: string;
  readonly body: Buffer;
}

/** Encodes parts byte for byte as given, so that a test can send what no library would. */
export function form(parts: readonly Part[]): Form {
  const boundary = `----e2e${randomBytes(12).toString("hex")}`;
  const pieces = parts.flatMap(({ name, filename, type, content }) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"`),
    ...(filename === undefined ? [] : [Buffer.from('; filename="'), Buffer.from(filename), Buffer.from('"')]),
    Buffer.from(`${type === undefined ? "" : `\r\nContent-Type: ${type}`}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from("\r\n"),
  ]);
  return { contentType: `multipart/form-data; boundary=${boundary}`, boundary, body: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]) };
}

/** Posts a form to the upload path; asks for JSON unless the headers say otherwise. */
export function post(target: Target, parts: readonly Part[], headers: Readonly<Record<string, string>> = {}, path = "/upload"): Promise<Answer> {
  const { contentType, body } = form(parts);
  return send(target, path, { method: "POST", body, headers: { accept: "application/json", "content-type": contentType, ...headers } });
}

/** One file part with random content of a size, in bytes. */
export const randomFile = (filename: string, size: number): Part & { readonly content: Buffer } => ({
  name: "file",
  filename,
  type: "application/octet-stream",
  content: randomBytes(size),
});

/** What the service answers to a finished upload; see section 4 of docs/internals/contracts.md. */
export interface UploadAnswer {
  readonly message: string;
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly checksums: Readonly<Record<string, string>>;
  readonly description: string | null;
  readonly uploads: readonly { readonly id: string; readonly name: string; readonly size: number; readonly checksums: Readonly<Record<string, string>> }[];
}

export interface RecordView {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly checksums: Readonly<Record<string, string>>;
  readonly description: string | null;
  readonly completedAt: string;
  readonly state: string;
}

/** All records that the site lists, newest first, over as many pages as there are. */
export async function records(target: Target): Promise<RecordView[]> {
  const all: RecordView[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const answer = await send(target, `/api/uploads?limit=200${after === "" ? "" : `&after=${after}`}`, { headers: { accept: "application/json" } });
    if (answer.status !== 200) throw new Error(`/api/uploads: status ${answer.status}: ${answer.text.slice(0, 300)}`);
    const page: { uploads: RecordView[]; next: string | null } = json(answer);
    all.push(...page.uploads);
    after = page.next;
  }
  return all;
}

/** A connection on which a test writes raw bytes. */
export interface Wire {
  readonly socket: TLSSocket;
  write(bytes: string | Buffer): void;
  /** The next answer: its header, and as much of a body as its Content-Length says, or all until the end. */
  answer(): Promise<{ status: number; head: string; body: string }>;
  destroy(): void;
}

/** Opens a TLS connection (HTTP/1.1) to the site. */
export async function wire(target: Target): Promise<Wire> {
  const { hostname, port } = new URL(target.url);
  const socket = connect({ host: hostname, port: Number(port), ca: target.ca, servername: hostname });
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  let received = Buffer.alloc(0);
  let closed = false;
  const wake: (() => void)[] = [];
  const awaken = (): void => wake.splice(0).forEach((resume) => resume());
  socket.on("data", (chunk: Buffer) => ((received = Buffer.concat([received, chunk])), awaken()));
  socket.on("close", () => ((closed = true), awaken()));
  socket.on("error", () => undefined);

  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    destroy: () => socket.destroy(),
    async answer() {
      for (;;) {
        const end = received.indexOf("\r\n\r\n");
        const head = end < 0 ? "" : received.subarray(0, end).toString("latin1");
        // RFC 9112, section 6.3: 204 has no body, whatever stands in its header.
        const length = head.slice(9, 12) === "204" ? 0 : Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? NaN);
        const body = end < 0 ? Buffer.alloc(0) : received.subarray(end + 4);
        if (end >= 0 && (closed || body.length >= length)) {
          const whole = Number.isNaN(length) ? body : body.subarray(0, length);
          received = received.subarray(end + 4 + whole.length);
          return { status: Number(head.slice(9, 12)), head, body: whole.toString("utf8") };
        }
        if (closed) throw new Error(`the connection was closed after ${received.length} bytes: ${received.toString("latin1").slice(0, 200)}`);
        await new Promise<void>((resume) => wake.push(resume));
      }
    },
  };
}

/** Opens a connection and sends the head of a request on it; the body is the test's to write. */
export async function openRequest(target: Target, { method, path, headers }: Wording): Promise<Wire> {
  const connection = await wire(target);
  const lines = Object.entries({ host: "localhost", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  connection.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  return connection;
}

/** Waits until a condition holds, asking every 100 ms; fails with what was awaited. The bound is for what hangs: a slow machine is not to meet it. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain until ${what}`);
    await new Promise((resume) => setTimeout(resume, 100));
  }
}
