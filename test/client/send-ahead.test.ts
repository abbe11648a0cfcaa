import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { planSegments } from "../../client/send/segments.ts";
import { type Begun, parseBegun } from "../../client/send/state.ts";
import { openSite } from "../../client/send/site.ts";

const MiB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "slipway-ahead-"));
const content = randomBytes(40 * MiB);
const sha256 = createHash("sha256").update(content).digest("hex");
const source = { path: join(folder, "data.bin"), name: "data.bin", size: content.length };
writeFileSync(source.path, content);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STREAMS = 2;
const STARTS = planSegments(content.length, STREAMS).map(({ start }) => start);
const SEGMENTS = STARTS.length;

interface Part {
  readonly at: number;
  bytes: number;
  cancelled: boolean;
}

/** A site of tus that keeps no bytes, and what a test makes of its answers. */
class FakeSite {
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
    if (method === "HEAD" && part === undefined) return void response.writeHead(200, { "Upload-Offset": content.length, "Repr-Digest": `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`, "Content-Location": "/api/uploads/01X" }).end();
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
    const path = `/tus/${this.parts.size}`;
    const at = Number(Buffer.from(/offset ([^,]+)/.exec(metadata)?.[1] ?? "", "base64").toString());
    this.parts.set(path, { at, bytes: 0, cancelled: false });
    response.writeHead(201, { Location: path }).end();
  }
}

describe("addresses of the next segments", { timeout: 60_000 }, () => {
  let site: FakeSite;
  let url: URL;
  let stateFolder: string;
  beforeEach(async () => {
    site = new FakeSite();
    url = await site.start();
    stateFolder = mkdtempSync(join(folder, "state-"));
  });
  afterEach(() => site.stop());

  async function send(signal?: AbortSignal) {
    const open = await openSite({ url, stateFolder });
    try {
      return await open.send(source, { streams: STREAMS, ...(signal === undefined ? {} : { signal }) });
    } finally {
      await open.close();
    }
  }

  const until = async (check: () => boolean): Promise<void> => {
    while (!check()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  function remembered(): Begun {
    const [name] = readdirSync(stateFolder).filter((one) => one.endsWith(".json"));
    return parseBegun(readFileSync(join(stateFolder, name!), "utf8"))!;
  }

  it("are asked for while segments are sent, no more than there are streams", async () => {
    // No segment is answered before the next one has its address.
    let most = 0;
    site.answers = async () => {
      const sent = site.seen.filter((one) => one.startsWith("PATCH")).length;
      await until(() => site.parts.size > Math.min(sent, SEGMENTS - 1));
      most = Math.max(most, site.parts.size - sent);
    };
    expect(await send()).toMatchObject({ ok: true, sha256 });
    expect(site.joined).toEqual(STARTS);
    expect(most).toBeLessThanOrEqual(STREAMS);
    // What was begun in this run is not asked for its offset, but for the file.
    expect(site.seen.filter((one) => one.startsWith("HEAD"))).toEqual(["HEAD /tus/final"]);
    expect(site.seen.filter((one) => one === "POST")).toHaveLength(SEGMENTS + 1);
  });

  it("are asked for again in their turn when they were refused", async () => {
    site.refuses = (asked) => asked > STREAMS && asked % 2 === 1;
    expect(await send()).toMatchObject({ ok: true, sha256 });
    expect(site.joined).toEqual(STARTS);
  });

  it("are remembered when they were not used, and used by the next run", async () => {
    const stop = new AbortController();
    site.answers = async () => {
      await until(() => site.parts.size > STREAMS);
      await until(() => remembered().segments.filter((segment) => segment.url !== null).length > STREAMS);
      stop.abort();
    };
    expect(await send(stop.signal)).toMatchObject({ ok: false, kind: "aborted" });
    const before = remembered().segments.filter((segment) => segment.url !== null).length;
    expect(before).toBeGreaterThan(STREAMS);
    site.answers = async () => undefined;
    expect(await send()).toMatchObject({ ok: true, sha256 });
    expect(site.joined).toEqual(STARTS);
    expect(site.parts.size).toBeLessThanOrEqual(SEGMENTS + 1);
  });

  it("are given back when the file changed", async () => {
    site.answers = async () => {
      await until(() => site.parts.size > STREAMS);
      await until(() => remembered().segments.filter((segment) => segment.url !== null).length > STREAMS);
      writeFileSync(source.path, content);
    };
    expect(await send()).toMatchObject({ ok: false, kind: "changed" });
    const given = [...site.parts.values()].filter(({ cancelled }) => cancelled);
    expect(given.length).toBeGreaterThan(STREAMS);
    expect(readdirSync(stateFolder).filter((one) => one.endsWith(".json"))).toEqual([]);
  });
});
