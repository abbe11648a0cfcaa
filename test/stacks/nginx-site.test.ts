/** What a rendered site does, on a real nginx with the real module; the test itself stands where the service would. */

import { existsSync, readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect as connectHttp2, constants } from "node:http2";
import { request as httpsRequest } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Application } from "../../stacks/factories.ts";
import type { SiteProps } from "../../stacks/props.ts";
import { checkSite } from "../../stacks/settings.ts";
import { nginxFolder, startNginx, whyNoNginx, type NginxFolder } from "../helpers/nginx-site.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What the test's own upstream has seen, newest last, and what it answers by path. */
class Upstream {
  readonly seen: Seen[] = [];
  answer: { readonly status: number; readonly headers: Record<string, string> } = { status: 200, headers: {} };
  #server: Server | undefined;

  #serve = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      this.seen.push({ method: request.method!, url: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString("latin1") });
      response.writeHead(this.answer.status, this.answer.headers).end("from upstream");
    });
  };

  async start(port = 0): Promise<number> {
    this.#server = createServer(this.#serve).listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }
}

interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function ask(scheme: "http" | "https", listen: string, path: string, { method = "GET", headers = {}, body }: Ask = {}): Promise<Answer> {
  const [host, port] = listen.split(":") as [string, string];
  const options = { host, port, path, method, headers: { host: "localhost", ...headers }, rejectUnauthorized: false, agent: false as const };
  return new Promise((resolve, reject) => {
    const sent = (scheme === "https" ? httpsRequest : httpRequest)(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, text })).on("error", reject);
    });
    sent.on("error", reject).end(body);
  });
}

const form = (...parts: string[]): Ask => ({
  method: "POST",
  headers: { "content-type": "multipart/form-data; boundary=B" },
  body: `${parts.map((part) => `--B\r\nContent-Disposition: form-data; ${part}\r\n`).join("")}--B--\r\n`,
});
const file = 'name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nhello';

/** For what hangs, not for a machine that is slow. */
const PATIENCE = { timeout: 30_000 };

const missing = whyNoNginx();
const title = missing ? ` (skipped: ${missing})` : "";

describe.skipIf(missing !== undefined)(`a rendered site${title}`, () => {
  const upstream = new Upstream();
  let folder: NginxFolder;
  let stop: () => Promise<void>;
  const https = (path: string, more?: Ask): Promise<Answer> => ask("https", folder.placement.httpsListen, path, more);
  const incoming = (): string[] => readdirSync(join(folder.root, "store/incoming"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => entry.name);

  /** nginx lets go of a request's files when it lets go of the request, which is just after the answer. */
  const staysAs = (before: readonly string[]): Promise<void> => vi.waitFor(() => expect(incoming()).toEqual(before), PATIENCE);

  async function serve(props: SiteProps): Promise<void> {
    folder = await nginxFolder(await upstream.start());
    stop = await startNginx(folder, checkSite(props));
  }

  describe("with the service", () => {
    beforeAll(() => serve({ upload: { maxFileSize: "64k", checksums: ["sha256", "crc32"] } }));
    beforeEach(() => {
      upstream.answer = { status: 200, headers: {} };
      upstream.seen.length = 0;
    });
    afterAll(async () => {
      await stop();
      upstream.stop();
      folder.remove();
    });

    it("passes an upload on as the classic fields, and only the ordinary fields that are named", async () => {
      const { status, text } = await https("/upload", form('name="description"\r\n\r\nwhat', 'name="other"\r\n\r\nx', file, 'name="names"\r\n\r\nx'));
      expect([status, text]).toEqual([200, "from upstream"]);
      const [{ url, method, headers, body }] = upstream.seen as [Seen];
      expect([method, url, headers["content-type"]]).toEqual(["POST", "/internal/complete", "multipart/form-data; boundary=B"]);
      const fields = [...body.matchAll(/name="([^"]*)"\r\n\r\n(.*?)\r\n/g)].map((match) => [match[1], match[2]]);
      expect(fields.map(([name]) => name)).toEqual(["description", "f.name", "f.content_type", "f.path", "f.size", "f.sha256", "f.crc32"]);
      expect(Object.fromEntries(fields)).toMatchObject({ "f.name": "a.txt", "f.content_type": "text/plain", "f.size": "5", "f.sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", "f.crc32": "3610a686" });
      const path = fields[3]![1]!;
      expect(path).toMatch(new RegExp(`^${folder.root}/store/incoming/([0-9])/[0-9]{9}\\1$`));
      expect(existsSync(path)).toBe(true);
    });

    it("says who it is and for whom it asks, whatever the client says", async () => {
      const forged = { "x-slipway-secret": "forged", "x-real-ip": "6.6.6.6", "x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "http", "x-request-id": "forged", accept: "a/b", "user-agent": "u" };
      const answer = await https("/list?q=%20x", { headers: forged });
      expect(answer.status).toBe(200);
      const [{ url, headers }] = upstream.seen as [Seen];
      expect(url).toBe("/list?q=%20x");
      expect(headers).toMatchObject({ "x-slipway-secret": "5ec2e7", "x-real-ip": "127.0.0.1", "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https", host: "localhost", accept: "a/b", "user-agent": "u" });
      expect(headers["x-request-id"]).toMatch(/^[0-9a-f]{32}$/);
      expect(folder.accesses().at(-1)).toMatchObject({ requestId: headers["x-request-id"], status: 200, method: "GET", uri: "/list?q=%20x", upstreamStatus: "200" });
    });

    it.each(["/internal/complete", "/internal", "//internal/complete", "/x/../internal/complete", "/%69nternal/complete", "/internal%2fcomplete", "/_files/x", "/_files", "/_slipway/errors/404.json"])("has nothing at %s", async (path) => {
      const before = upstream.seen.length;
      const { status } = await https(path, { method: "POST" });
      // Without the slash it is only another path of the site, which the service answers.
      if (path === "/_files") expect(upstream.seen.at(-1)!.url).toBe("/_files");
      else expect([status, upstream.seen.length]).toEqual([404, before]);
    });

    it("sends a download that the service points to, with its headers", async () => {
      await mkdir(join(folder.root, "store/files/2026"), { recursive: true });
      await writeFile(join(folder.root, "store/files/2026/a b.txt"), "content");
      upstream.answer = { status: 200, headers: { "x-accel-redirect": "/_files/2026/a%20b.txt", "content-type": "text/plain", "content-disposition": "attachment", "repr-digest": "sha-256=:eA==:" } };
      const { status, headers, text } = await https("/files/1", { headers: { range: "bytes=0-3" } });
      expect([status, text]).toEqual([206, "cont"]);
      expect(headers).toMatchObject({ "content-type": "text/plain", "content-disposition": "attachment", "repr-digest": "sha-256=:eA==:", "x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'; sandbox" });
    });

    it("leaves the service's own errors as they are, and removes the request's files", async () => {
      const before = incoming();
      upstream.answer = { status: 422, headers: { "content-type": "text/x-own" } };
      const { status, text, headers } = await https("/upload", form(file));
      expect([status, text, headers["content-type"]]).toEqual([422, "from upstream", "text/x-own"]);
      await staysAs(before);
    });

    const big = 'name="f"; filename="a"\r\n\r\n' + "x".repeat(70_000);
    it.each<[string, string, Ask, number, string]>([
      ["a file over the limit", "/upload", form(big), 413, "too_large"],
      ["another method", "/upload", { method: "PUT", body: "x" }, 405, "method_not_allowed"],
      ["another type", "/upload", { method: "POST", headers: { "content-type": "text/plain" }, body: "x" }, 415, "unsupported_type"],
      ["no boundary", "/upload", { method: "POST", headers: { "content-type": "multipart/form-data" }, body: "x" }, 400, "bad_request"],
      ["a form that breaks off", "/upload", { ...form(file), body: `--B\r\nContent-Disposition: form-data; ${file}` }, 400, "bad_request"],
      ["a body that no other path takes", "/list", { method: "POST", body: Buffer.alloc(1_100_000) }, 413, "too_large"],
      ["headers without end", "/", { headers: { cookie: "c".repeat(17_000) } }, 400, "request_header_too_large"],
      ["a host of another name", "/", { headers: { host: "evil.example" } }, 421, "wrong_host"],
      ["a large body for another name", "/upload", { ...form(big.repeat(20)), headers: { ...form().headers, host: "evil.example" } }, 421, "wrong_host"],
    ])("tells a program, and a browser, about %s", async (_, path, sent, status, code) => {
      const before = incoming();
      const json = await https(path, sent);
      expect(json.status, folder.errors()).toBe(status);
      expect(json.headers["content-type"]).toBe("application/json");
      expect(json.headers["x-content-type-options"]).toBe("nosniff");
      expect(JSON.parse(json.text)).toMatchObject({ error: { code, status, message: expect.stringMatching(/\.$/), hint: expect.stringMatching(/\.$/) } });

      const page = await https(path, { ...sent, headers: { accept: "text/html,*/*;q=0.8", ...sent.headers } });
      expect([page.status, page.headers["content-type"]]).toEqual([status, "text/html; charset=utf-8"]);
      expect(page.text).toContain(JSON.parse(json.text).error.hint.replaceAll("'", "&#39;"));
      await staysAs(before);
    });

    it("takes text/html;q=0 for no", async () => {
      const { headers } = await https("/internal/x", { headers: { accept: "text/html; q=0, application/json" } });
      expect(headers["content-type"]).toBe("application/json");
    });

    it("says so when the service is away, and keeps nothing", async () => {
      const before = incoming();
      const port = Number(folder.placement.service.address.split(":")[1]);
      upstream.stop();
      try {
        const { status, text, headers } = await https("/upload", form(file));
        expect([status, headers["retry-after"]]).toEqual([502, "10"]);
        expect(JSON.parse(text)).toMatchObject({ error: { code: "service_down", status: 502 } });
        await staysAs(before);
      } finally {
        expect(await upstream.start(port)).toBe(port);
      }
    });

    it("turns HTTP into HTTPS without losing the method, for its own names", async () => {
      const { httpListen } = folder.placement;
      const right = await ask("http", httpListen!, "/a?b=%20", { method: "POST", body: "x" });
      expect([right.status, right.headers.location]).toEqual([308, "https://localhost:8443/a?b=%20"]);
      const other = await ask("http", httpListen!, "/", { headers: { host: "evil.example" } });
      expect([other.status, other.headers.location]).toEqual([421, undefined]);
      const mixed = await ask("http", folder.placement.httpsListen, "/");
      expect(JSON.parse(mixed.text)).toMatchObject({ error: { code: "https_required", status: 400 } });
    });

    it("is healthy by itself, on plain HTTP inside", async () => {
      const { status, text } = await ask("http", folder.placement.healthListen!, "/healthz");
      expect([status, text]).toEqual([200, "ok\n"]);
    });

    it("takes an upload on HTTP/2", async () => {
      const session = connectHttp2(`https://localhost:${folder.placement.httpsListen.split(":")[1]}`, { rejectUnauthorized: false });
      const { headers, body } = form(file);
      const stream = session.request({ [constants.HTTP2_HEADER_PATH]: "/upload", [constants.HTTP2_HEADER_METHOD]: "POST", ...headers });
      stream.end(body);
      const [answer] = (await once(stream, "response")) as [Record<string, unknown>];
      expect(answer[":status"]).toBe(200);
      stream.resume();
      await once(stream, "close");
      session.close();
      expect(upstream.seen.at(-1)!.body).toContain('name="f.sha256"');
    });

    it("removes a file that breaks off on HTTP/2, and logs what was asked", async () => {
      const before = incoming();
      const session = connectHttp2(`https://localhost:${folder.placement.httpsListen.split(":")[1]}`, { rejectUnauthorized: false });
      const stream = session.request({ [constants.HTTP2_HEADER_PATH]: "/upload?broken", [constants.HTTP2_HEADER_METHOD]: "POST", ...form().headers });
      stream.write(`--B\r\nContent-Disposition: form-data; ${file}`);
      await vi.waitFor(() => expect(incoming().length).toBeGreaterThan(before.length), PATIENCE);
      stream.close(constants.NGHTTP2_CANCEL);
      await once(stream, "close");
      session.close();
      await staysAs(before);
      await vi.waitFor(() => expect(folder.accesses().at(-1)).toMatchObject({ method: "POST", uri: "/upload?broken", status: expect.any(Number) }), PATIENCE);
    });

    it("logs nothing alarming", () => {
      expect(folder.errors()).not.toMatch(/\[(alert|crit|emerg)\]|cycle/);
    });
  });

  describe("with an application", () => {
    beforeAll(async () => {
      const port = await upstream.start();
      folder = await nginxFolder(9);
      stop = await startNginx(folder, checkSite({ upload: { path: "/in/" }, application: Application.http(`127.0.0.1:${port}`, { completionPath: "/done/" }) }));
    });
    beforeEach(() => {
      upstream.answer = { status: 200, headers: {} };
      upstream.seen.length = 0;
    });
    afterAll(async () => {
      await stop();
      upstream.stop();
      folder.remove();
    });

    it("hands completions to its path, with the query, and no secret", async () => {
      expect((await https("/in/?next=%2F", form(file))).status).toBe(200);
      const [{ url, headers, body }] = upstream.seen as [Seen];
      expect(url).toBe("/done/?next=%2F");
      expect(headers).not.toHaveProperty("x-slipway-secret");
      expect(headers["x-forwarded-host"]).toBe("localhost");
      expect(body).toContain('name="f.path"');
    });

    it.each([["/in/", "GET"], ["/in/", "PUT"], ["/in/", "OPTIONS"], ["/internal/x", "GET"], ["/files/%2e/x?y", "DELETE"], ["/", "HEAD"]])("passes %s %s through", async (path, method) => {
      expect((await https(path, { method, ...(method === "PUT" ? { body: "x".repeat(2_000_000) } : {}) })).status).toBe(200);
      expect(upstream.seen.at(-1)).toMatchObject({ url: path, method });
      if (method === "PUT") expect(upstream.seen.at(-1)!.body).toHaveLength(2_000_000);
    });

    it("leaves its 405 to the application", async () => {
      upstream.answer = { status: 405, headers: { allow: "POST" } };
      const { status, text, headers } = await https("/in/");
      expect([status, text, headers["allow"]]).toEqual([405, "from upstream", "POST"]);
    });

    it("still has its own words for what never reached it", async () => {
      const { status, text } = await https("/in/", { method: "POST", headers: { "content-type": "text/plain" }, body: "x" });
      expect([status, JSON.parse(text).error.code]).toEqual([415, "unsupported_type"]);
    });
  });
});
