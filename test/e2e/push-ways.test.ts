/** What a sending may need beside the bytes: a proxy, a speed, a length that nobody knows, a lock. */
import { randomBytes } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openSite, type SiteOptions } from "../../client/send/site.ts";
import type { Source } from "../../client/send/source.ts";
import { startCuttingProxy } from "../helpers/cutting-proxy.ts";
import { json, send } from "../helpers/e2e-client.ts";
import { remove, sha256, temporaryFolder } from "../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";

const MiB = 1024 * 1024;

describe.skipIf(withoutLocal())("e2e: the ways of push", () => {
  let site: LocalTestSite;
  let folder: string;
  const bytes = randomBytes(24 * MiB);

  beforeAll(async () => {
    folder = temporaryFolder();
    site = await startTestSite({});
  }, 120_000);
  afterAll(async () => {
    await site?.stop();
    remove(folder);
  });
  beforeEach(() => site.clear());

  const file = (content: Buffer, name = "data.bin"): Source => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return { path, name, size: content.length };
  };
  const options = (more: Partial<SiteOptions> = {}): SiteOptions => ({ url: new URL(`${site.url}/upload`), ca: Buffer.from(site.ca), stateFolder: join(folder, "state"), ...more });
  const through = (port: number, more: Partial<SiteOptions> = {}): SiteOptions => options({ url: new URL(`https://localhost:${port}/upload`), ...more });

  async function using<T>(how: SiteOptions, use: (target: Awaited<ReturnType<typeof openSite>>) => Promise<T>): Promise<T> {
    const target = await openSite(how);
    try {
      return await use(target);
    } finally {
      await target.close();
    }
  }

  function expectFiled(content: Buffer): void {
    const { rows, incoming } = site.kept();
    expect(rows.map(({ checksums, size, state }) => ({ checksums, size, state }))).toEqual([{ checksums: { sha256: sha256(content) }, size: content.length, state: "complete" }]);
    expect(sha256(readFileSync(join(site.site.store, "files", rows[0]!.target)))).toBe(sha256(content));
    expect(incoming).toEqual([]);
  }
  const states = (): string[] => readdirSync(join(folder, "state"));

  it.each([0, 1, 512 * 1024, 512 * 1024 + 1, 16 * MiB + 1])("sends a file of %d bytes, and leaves no state of it", async (size) => {
    const content = bytes.subarray(0, size);
    const result = await using(options(), (target) => target.send(file(content), { streams: 4, sha256: sha256(content), description: "by night" }));
    expect(result).toMatchObject({ ok: true, size, sha256: sha256(content), checked: true });
    expectFiled(content);
    const { uploads } = json<{ uploads: object[] }>(await send(site, "/api/uploads"));
    expect(uploads).toMatchObject([{ name: "data.bin", description: "by night" }]);
    if (size > 512 * 1024) expect(states()).toEqual([]);
  });

  it("has a small file filed once when the answer to it is lost", async () => {
    const content = bytes.subarray(0, 300_000);
    let lost = 0;
    const proxy = createTcpServer((client) => {
      const to = connect(Number(new URL(site.url).port), "127.0.0.1");
      let sent = 0;
      client.on("data", (some) => void ((sent += some.length), to.write(some)));
      to.on("data", (some) => {
        if (sent < content.length || lost > 0) return void client.write(some);
        lost += 1;
        client.destroy();
      });
      for (const end of [to, client]) end.on("error", () => undefined).on("close", () => (to.destroy(), client.destroy()));
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    try {
      const result = await using(through((proxy.address() as { port: number }).port), (target) => target.send(file(content), { streams: 1 }));
      expect(result).toMatchObject({ ok: true, sha256: sha256(content), checked: true });
      expect(lost).toBe(1);
      expectFiled(content);
    } finally {
      await new Promise((resolve) => proxy.close(resolve));
    }
  });

  describe("through an HTTP proxy", () => {
    let proxy: Server;
    let address: URL;
    let tunnels: { authority: string; login: string | undefined }[] = [];

    beforeAll(async () => {
      proxy = createServer((_, response) => response.writeHead(405).end());
      proxy.on("connect", (request, socket) => {
        tunnels.push({ authority: request.url ?? "", login: request.headers["proxy-authorization"] });
        if (request.headers["proxy-authorization"] === undefined) return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
        const [host = "", port] = (request.url ?? "").split(":");
        const to = connect(Number(port), host, () => {
          socket.write("HTTP/1.1 200 OK\r\n\r\n");
          socket.pipe(to).pipe(socket);
        });
        for (const end of [to, socket]) end.on("error", () => undefined).on("close", () => (to.destroy(), socket.destroy()));
      });
      await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
      address = new URL(`http://me:se%20cret@127.0.0.1:${(proxy.address() as { port: number }).port}`);
    });
    afterAll(() => new Promise((resolve) => proxy.close(resolve)));
    beforeEach(() => void (tunnels = []));

    it("sends by CONNECT, and keeps its connections", async () => {
      const result = await using(options({ proxy: address }), async (target) => {
        await target.send(file(Buffer.from("small")), { streams: 1 });
        site.clear();
        return target.send(file(bytes), { streams: 2 });
      });
      expect(result).toMatchObject({ ok: true, sha256: sha256(bytes), checked: true });
      expectFiled(bytes);
      const login = `Basic ${Buffer.from("me:se cret").toString("base64")}`;
      expect(tunnels[0]).toEqual({ authority: new URL(site.url).host, login });
      expect(tunnels.length).toBeLessThanOrEqual(3);
    });

    it("says so when the proxy refuses", async () => {
      await expect(openSite(options({ proxy: new URL(address.origin) }))).rejects.toMatchObject({ failure: { kind: "network", message: `the proxy ${address.host} answered 407 to CONNECT` } });
    });
  });

  // The start and a slow machine take time beside the bytes: it may well be slower than its limit, and never faster.
  it.each([[1, 1], [4, 1], [4, 2]])("keeps below its speed with %d streams and %d files at a time, and has most of it", async (streams, files) => {
    const rate = 8 * MiB;
    const start = performance.now();
    const results = await using(options({ rateBytesPerSecond: rate }), (target) =>
      Promise.all(Array.from({ length: files }, (_, i) => target.send(file(bytes, `limited-${i}`), { streams }))));
    const seconds = (performance.now() - start) / 1000;
    expect(results.map(({ ok }) => ok)).toEqual(results.map(() => true));
    expect((files * bytes.length) / seconds / rate).toBeLessThan(1.1);
    expect((files * bytes.length) / seconds / rate).toBeGreaterThan(0.5);
  }, 60_000);

  async function* inChunks(content: Buffer): AsyncGenerator<Buffer> {
    for (let at = 0, size = 1; at < content.length; at += size, size = (size * 7919) % 200_003) yield content.subarray(at, at + size);
  }

  it.each([0, 1, 16 * MiB, 16 * MiB + 1, 24 * MiB])("sends a stream of %d bytes whose length is not known", async (size) => {
    const content = bytes.subarray(0, size);
    const result = await using(options(), (target) => target.sendStream(inChunks(content), { name: "stream.tar", sha256: sha256(content) }));
    expect(result).toMatchObject({ ok: true, name: "stream.tar", size, sha256: sha256(content), checked: true });
    expectFiled(content);
  });

  it("sends a stream through cuts, which it cannot read again", async () => {
    const content = randomBytes(70 * MiB);
    const proxy = await startCuttingProxy({ port: Number(new URL(site.url).port), seed: 5, cuts: 20, cutAfter: [1, 5 * MiB], splitAt: 64 * 1024, cutBy: "reset" });
    try {
      const result = await using(through(proxy.port), (target) => target.sendStream(inChunks(content), { name: "stream.tar" }));
      expect(result).toMatchObject({ ok: true, size: content.length, sha256: sha256(content), checked: true });
      expect(proxy.cuts()).toBe(20);
      expectFiled(content);
    } finally {
      await proxy.stop();
    }
  }, 60_000);

  it("gives up a stream that breaks off, and frees its space", async () => {
    const breaking = async function* (): AsyncGenerator<Buffer> {
      yield bytes;
      throw new Error("read error");
    };
    const result = await using(options(), (target) => target.sendStream(breaking(), { name: "stream.tar" }));
    expect(result).toMatchObject({ ok: false, kind: "local", message: "the input cannot be read: read error" });
    await site.expectNothingKept();
  });

  it.each([1, 4])("refuses a file whose digest is not the one that was promised, with %d streams", async (streams) => {
    const result = await using(options(), (target) => target.send(file(bytes), { streams, sha256: "0".repeat(64) }));
    expect(result).toMatchObject({ ok: false, kind: "digest" });
    await site.expectNothingKept();
  });

  it.each([1, 4])("refuses a file that changes while it is sent, with %d streams", async (streams) => {
    const source = file(bytes);
    let changed = false;
    const onProgress = (sent: number): void => {
      if (changed || sent < bytes.length / 3) return;
      changed = true;
      appendFileSync(source.path, "more");
    };
    const result = await using(options({ rateBytesPerSecond: 40 * MiB }), (target) => target.send(source, { streams, onProgress }));
    expect(result).toMatchObject({ ok: false, kind: "changed", message: "changed while it was sent" });
    await site.expectNothingKept();
  });

  it("stops when it is told to, and goes on the next time", async () => {
    const stop = new AbortController();
    const source = file(bytes);
    const onProgress = (sent: number): void => void (sent > bytes.length / 2 && stop.abort());
    const stopped = await using(options({ rateBytesPerSecond: 40 * MiB }), (target) => target.send(source, { streams: 3, onProgress, signal: stop.signal }));
    expect(stopped).toMatchObject({ ok: false, kind: "aborted" });
    const told: (readonly [string, number])[] = [];
    const again = await using(options(), (target) =>
      target.send(source, { streams: 3, onResumed: (there) => told.push(["resumed", there]), onProgress: (sent) => told.push(["progress", sent]) }));
    const [first, ...rest] = told as [readonly [string, number], ...(readonly [string, number])[]];
    expect(first[0]).toBe("resumed");
    expect(first[1]).toBeGreaterThan(bytes.length / 4);
    expect(rest.every(([what, sent]) => what === "progress" && sent >= first[1])).toBe(true);
    expect(again).toMatchObject({ ok: true, sha256: sha256(bytes), size: bytes.length, resumed: first[1] });
    expectFiled(bytes);
  });

  // As if each request lasted longer than the site waits: no row hears of bytes before a request ends.
  it.each([1, 4])("is not ended by the site while it is under way, with %d streams", async (streams) => {
    const sending = using(options({ rateBytesPerSecond: 4 * MiB }), (target) => target.send(file(bytes), { streams }));
    let ended = false;
    const result = sending.finally(() => (ended = true));
    while (!ended) {
      site.outlastRows();
      // A round of the upkeep comes with each start.
      await site.site.service?.stop(5000);
      site.site.service?.start();
      await site.site.ready();
      site.outlastRows();
      await sleep(1500);
    }
    expect(await result).toMatchObject({ ok: true, sha256: sha256(bytes), checked: true });
    expectFiled(bytes);
  }, 60_000);

  it("does not send a file that another push is sending to this site", async () => {
    const source = file(bytes);
    await using(options({ rateBytesPerSecond: 20 * MiB }), async (target) => {
      const first = target.send(source, { streams: 2 });
      await sleep(300);
      const second = await target.send(source, { streams: 2 });
      expect(second).toMatchObject({ ok: false, kind: "local", code: "locked" });
      expect(second).toMatchObject({ message: expect.stringContaining(`is being sent to this site by another push (process ${process.pid} on `) });
      expect(await first).toMatchObject({ ok: true });
    });
    expectFiled(bytes);
  });
});
