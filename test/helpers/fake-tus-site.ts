/** A site of tus that runs in the test, for what a real one does too seldom. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Part {
  readonly at: number;
  bytes: number;
  cancelled: boolean;
}

/** A site of tus that keeps no bytes, and what a test makes of its answers. */
export class FakeTusSite {
  readonly parts = new Map<string, Part>();
  /** Requests in the order of their heads, as `POST`, `PATCH /tus/1`. */
  readonly seen: string[] = [];
  /** Whether an address is refused, by the number of those that were asked for. */
  refuses: (asked: number) => boolean = () => false;
  /** What the answer to a segment waits for. */
  answers: () => Promise<void> = async () => undefined;
  #asked = 0;
  readonly #server: Server = createServer((request, response) => {
    // A client may go away in the middle.
    this.#take(request, response).catch(() => undefined);
  });
  #fileParts: readonly Part[] = [];
  readonly #whole: { readonly size: number; readonly sha256: string };

  /** @param whole the file that parts are declared to be */
  constructor(whole: { readonly size: number; readonly sha256: string }) {
    this.#whole = whole;
  }

  async start(): Promise<URL> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/upload`);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Offsets of the parts that were declared to be the file. */
  get joined(): readonly number[] {
    return this.#fileParts.map(({ at }) => at);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    if (method === "OPTIONS") return void response.writeHead(204, { "Tus-Version": "1.0.0" }).end();
    this.seen.push(method === "POST" ? method : `${method} ${url}`);
    if (method === "POST") return this.#create(String(headers["upload-concat"]), String(headers["upload-metadata"]), response);
    const part = this.parts.get(url);
    if (method === "HEAD" && url === "/tus/final") return void response.writeHead(200, { "Upload-Offset": this.#whole.size, "Repr-Digest": `sha-256=:${Buffer.from(this.#whole.sha256, "hex").toString("base64")}:`, "Content-Location": "/api/uploads/01X" }).end();
    if (part === undefined) return void response.writeHead(404).end();
    if (method === "DELETE") part.cancelled = true;
    if (method === "PATCH") {
      for await (const chunk of request as AsyncIterable<Buffer>) part.bytes += chunk.length;
      await this.answers();
    }
    response.writeHead(method === "HEAD" ? 200 : 204, { "Upload-Offset": part.bytes }).end();
  }

  #create(concat: string, metadata: string, response: ServerResponse): void {
    if (concat.startsWith("final;")) {
      this.#fileParts = concat.slice("final;".length).split(" ").map((path) => this.parts.get(path)!);
      return void response.writeHead(201, { Location: "/tus/final" }).end();
    }
    this.#asked += 1;
    if (this.refuses(this.#asked)) return void response.writeHead(503, { "Retry-After": "0" }).end();
    const path = `/tus/made-${this.#asked}`;
    const at = Number(Buffer.from(/offset ([^,]+)/.exec(metadata)?.[1] ?? "", "base64").toString());
    this.parts.set(path, { at, bytes: 0, cancelled: false });
    response.writeHead(201, { Location: path }).end();
  }
}
