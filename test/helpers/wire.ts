import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** An HTTP/1.1 answer read from a socket. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A part of a form: its header lines after `Content-Disposition: form-data; `, and its bytes. */
export interface Part {
  /** Parameters of Content-Disposition, raw: `name="file"; filename="a.txt"`. */
  readonly disposition: string | Buffer;
  readonly type?: string;
  readonly body: string | Buffer;
}

export const boundary = "XboundaryX";

/** A form as a client would send it; text is Latin-1, so that any byte can be written. */
export function form(parts: readonly Part[], mark: string = boundary): Buffer {
  const bytes = (text: string | Buffer): Buffer => (typeof text === "string" ? Buffer.from(text, "latin1") : text);
  const pieces = parts.flatMap((part) => [
    bytes(`--${mark}\r\nContent-Disposition: form-data; `),
    bytes(part.disposition),
    bytes(part.type === undefined ? "\r\n\r\n" : `\r\nContent-Type: ${part.type}\r\n\r\n`),
    bytes(part.body),
    bytes("\r\n"),
  ]);
  return Buffer.concat([...pieces, bytes(`--${mark}--\r\n`)]);
}

/** The rewritten body that is expected for fields in order. */
export function rewritten(fields: readonly (readonly [string, string])[], mark: string = boundary): string {
  const one = ([name, value]: readonly [string, string]): string =>
    `--${mark}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  return `${fields.map(one).join("")}--${mark}--\r\n`;
}

export interface HeadOptions {
  readonly method?: string;
  readonly type?: string | null;
  readonly length?: number | null;
  readonly extra?: readonly string[];
}

/** The head of a request. */
export function head(path: string, options: HeadOptions = {}): Buffer {
  const { method = "POST", type = `multipart/form-data; boundary=${boundary}`, length = null, extra = [] } = options;
  const lines = [`${method} ${path} HTTP/1.1`, "Host: localhost"];
  if (type !== null) lines.push(`Content-Type: ${type}`);
  if (length !== null) lines.push(`Content-Length: ${length}`);
  return Buffer.from(`${[...lines, ...extra].join("\r\n")}\r\n\r\n`, "latin1");
}

/** A whole request with Content-Length. */
export function post(path: string, body: Buffer, options: HeadOptions = {}): Buffer {
  return Buffer.concat([head(path, { length: body.length, ...options }), body]);
}

/** Bytes in chunked transfer coding. */
export function chunked(body: Buffer, size: number): Buffer {
  const chunks: Buffer[] = [];
  for (let i = 0; i < body.length; i += size) {
    const chunk = body.subarray(i, i + size);
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"));
  }
  return Buffer.concat([...chunks, Buffer.from("0\r\n\r\n")]);
}

/** A client that says exactly what it is told to. */
export class WireClient {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #error: Error | undefined;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#wake();
    });
    socket.on("end", () => this.#finish());
    socket.on("close", () => this.#finish());
    socket.on("error", (error) => this.#finish(error));
  }

  /** @param ca certificate to trust; with it the connection is TLS */
  static async open(port: number, ca?: Buffer): Promise<WireClient> {
    const socket = ca === undefined ? connect(port, "127.0.0.1") : connectTls({ port, host: "127.0.0.1", ca });
    const ready = ca === undefined ? "connect" : "secureConnect";
    await new Promise<void>((resolve, reject) => socket.once(ready, resolve).once("error", reject));
    return new WireClient(socket);
  }

  #finish(error?: Error): void {
    this.#ended = true;
    this.#error ??= error;
    this.#wake();
  }

  write(bytes: Buffer | string): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Closes at once, as a client that is killed. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Sends a reset, as a client that lost its network. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Bytes that have come and are not read yet. */
  get receivedBytes(): number {
    return this.#received.length;
  }

  /** Whether the server has closed the connection. */
  get ended(): boolean {
    return this.#ended;
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    return true;
  }

  /** Waits until the server closes. */
  async closed(): Promise<void> {
    while (await this.#more());
  }

  async #until(mark: string): Promise<string> {
    let at = this.#received.indexOf(mark);
    while (at < 0) {
      if (!(await this.#more()) && this.#received.indexOf(mark) < 0) {
        throw new Error(`the server closed before an answer, got ${JSON.stringify(this.#received.toString("latin1"))}`, { cause: this.#error });
      }
      at = this.#received.indexOf(mark);
    }
    return this.#take(at + mark.length).toString("latin1");
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  async #exactly(length: number): Promise<string> {
    while (this.#received.length < length && (await this.#more()));
    return this.#take(length).toString("latin1");
  }

  async #chunks(): Promise<string> {
    let body = "";
    for (;;) {
      const size = Number.parseInt(await this.#until("\r\n"), 16);
      const chunk = await this.#exactly(size + 2);
      if (size === 0) return body;
      body += chunk.slice(0, -2);
    }
  }

  /** The next answer; 100 is one of its own. */
  async answer(): Promise<WireAnswer> {
    const [line = "", ...lines] = (await this.#until("\r\n\r\n")).trimEnd().split("\r\n");
    const headers = Object.fromEntries(
      lines.map((text) => [text.slice(0, text.indexOf(":")).toLowerCase(), text.slice(text.indexOf(":") + 1).trim()]),
    );
    const status = Number(line.split(" ")[1]);
    if (status === 100) return { status, headers, body: "" };
    const chunkedBody = headers["transfer-encoding"] === "chunked";
    const body = chunkedBody ? await this.#chunks() : await this.#exactly(Number(headers["content-length"] ?? 0));
    return { status, headers, body };
  }
}

/** Sends bytes on a connection of their own and reads the one answer. */
export async function exchange(port: number, ...pieces: readonly (Buffer | string)[]): Promise<WireAnswer> {
  const client = await WireClient.open(port);
  try {
    for (const piece of pieces) {
      client.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return await client.answer();
  } finally {
    client.destroy();
  }
}
