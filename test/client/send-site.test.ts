import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openSite } from "../../client/send/site.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-site-"));
const content = Buffer.from("some bytes of a file");
const sha256 = createHash("sha256").update(content).digest("hex");
const source = { path: join(folder, "data.bin"), name: "data.bin", size: content.length };
let server: Server;
let url: URL;
let requests: IncomingMessage[] = [];
let sockets = new Set<Socket>();
let busy = 0;

/** A site whose application takes forms and knows nothing of tus; it may be busy for a few requests. */
beforeAll(async () => {
  writeFileSync(source.path, content);
  server = createServer(async (request, response) => {
    requests.push(request);
    sockets.add(request.socket);
    let length = 0;
    for await (const part of request as AsyncIterable<Buffer>) length += part.length;
    if (busy > 0) {
      busy -= 1;
      return void response.writeHead(503, { "Retry-After": "0" }).end();
    }
    if (request.method !== "POST") return void response.writeHead(404).end();
    response.end(JSON.stringify({ id: "1", name: "data.bin", size: content.length, checksums: { sha256 }, length }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}/upload`);
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  requests = [];
  sockets = new Set();
});

describe("a site that takes forms only", () => {
  it("gets files and streams as forms, over one connection, with the token on every request", async () => {
    const site = await openSite({ url, token: "secret" });
    expect(site.resumable).toBe(false);
    expect(await site.send(source, { streams: 8 })).toMatchObject({ ok: true, sha256, checked: true });
    const stream = async function* (): AsyncGenerator<Buffer> { yield content; };
    expect(await site.sendStream(stream(), { name: "data.bin" })).toMatchObject({ ok: true, sha256, checked: true });
    await site.close();
    expect(requests.map(({ method, headers }) => [method, headers.authorization])).toEqual([["OPTIONS", "Bearer secret"], ["POST", "Bearer secret"], ["POST", "Bearer secret"]]);
    expect(requests.map(({ headers }) => headers["transfer-encoding"])).toEqual([undefined, undefined, "chunked"]);
    expect(sockets.size).toBe(1);
  });

  it("is asked again while it is busy", async () => {
    busy = 2;
    const site = await openSite({ url });
    await site.close();
    expect(requests.map(({ method }) => method)).toEqual(["OPTIONS", "OPTIONS", "OPTIONS"]);
    expect(requests[0]!.headers.authorization).toBeUndefined();
  });

  it("is not taken for one that takes forms while all that it says is that it is down", async () => {
    busy = 5;
    await expect(openSite({ url })).rejects.toMatchObject({ failure: { kind: "server", status: 503 } });
    expect(requests).toHaveLength(5);
  }, 20_000);

  it("gets no file with another digest than was promised as a success", async () => {
    const site = await openSite({ url });
    expect(await site.send(source, { streams: 1, sha256: "0".repeat(64) })).toMatchObject({ ok: false, kind: "digest" });
    await site.close();
  });

  it("is not opened when nothing answers", async () => {
    await expect(openSite({ url: new URL("http://127.0.0.1:1/") })).rejects.toMatchObject({ failure: { kind: "network", code: "unreachable" } });
    await expect(openSite({ url: new URL("http://127.0.0.1:1/"), signal: AbortSignal.abort() })).rejects.toMatchObject({ failure: { kind: "aborted" } });
  });

  it("gets forms at its usual path when the address has none, else where that leads", async () => {
    for (const [path, sent] of [["/", "/upload"], ["/in?to=me", "/in?to=me"]] as const) {
      requests = [];
      const site = await openSite({ url: new URL(path, url) });
      await site.send(source, { streams: 1 });
      await site.close();
      expect([site.uploadPath, requests.at(-1)!.url]).toEqual([undefined, sent]);
    }
  });

  it("ends a sending that is stopped before it begins", async () => {
    const site = await openSite({ url });
    expect(await site.send(source, { streams: 1, signal: AbortSignal.abort() })).toMatchObject({ ok: false, kind: "aborted" });
    await site.close();
  });
});
