import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import https from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Http2Client, type Http2Reply, TestKeys } from "../helpers/matrix-http2.ts";
import { type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { fieldOf, uploadServer } from "../helpers/upload-site.ts";
import { boundary, form } from "../helpers/wire.ts";

const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 131) & 0xff));
const body = form([{ disposition: 'name="file"; filename="a.bin"', body: content }]);
const type = `multipart/form-data; boundary=${boundary}`;

let keys: TestKeys;
beforeAll(() => {
  keys = new TestKeys();
});
afterAll(() => keys.remove());

const options = (directives = "", more: Partial<NginxOptions> = {}): NginxOptions => ({
  listen: `listen 127.0.0.1:%PORT% http2; listen 127.0.0.1:%TLS_PORT% ssl http2; ${keys.directives}`,
  server: uploadServer(directives),
  keepsFiles: true,
  ...more,
});

/** One request over a connection of its own; the body is written in pieces. */
async function request(origin: string, bytes: Buffer, extra: http2.OutgoingHttpHeaders = {}, piece = 100_000): Promise<Http2Reply> {
  const client = new Http2Client(origin, keys.certificate);
  try {
    const pieces = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) => bytes.subarray(i * piece, (i + 1) * piece));
    return await client.request({ ":method": "POST", ":path": "/upload", "content-type": type, ...extra }, pieces);
  } finally {
    client.destroy();
  }
}

const clear = ({ port }: Nginx): string => `http://127.0.0.1:${port}`;
const secure = ({ tlsPort }: Nginx): string => `https://127.0.0.1:${tlsPort}`;
const sum = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describe("module: HTTP/2", () => {
  it.each([
    ["in clear, with a length", clear, { "content-length": body.length }],
    ["in clear, without a length", clear, {}],
    ["over TLS, with a length", secure, { "content-length": body.length }],
    ["over TLS, without a length", secure, {}],
  ] as const)("stores an upload %s", async (_, origin, extra) => {
    await withNginx(options(), async (site) => {
      expect(await request(origin(site), body, extra)).toEqual({ status: 200, body: "done" });
      const [path = ""] = site.files();
      expect(sum(readFileSync(path))).toBe(sum(content));
      expect(fieldOf(site.passed[0], "file.size")).toBe(`${content.length}`);
      expect(site.passed[0]!.headers["content-length"]).toBe(`${site.passed[0]!.body.length}`);
      expect(site.passed[0]!.rawHeaders.filter((name) => name.toLowerCase() === "content-length")).toHaveLength(1);
    });
  });

  it("stores small uploads, whatever the frames", async () => {
    const small = form([{ disposition: 'name="file"; filename="a"', body: "small" }]);
    await withNginx(options(), async (site) => {
      for (const piece of [1, 2, 5, 50, 1000]) {
        expect((await request(clear(site), small, {}, piece)).status, `${piece}`).toBe(200);
        expect(readFileSync(fieldOf(site.passed.at(-1), "file.path")!, "utf8")).toBe("small");
      }
    });
  });

  it("refuses early and late, and leaves nothing", async () => {
    await withNginx(options("upload_max_file_size 1m;", { keepsFiles: false }), async (site) => {
      expect((await request(clear(site), body)).status).toBe(413);
      expect((await request(secure(site), body, { "content-length": body.length })).status).toBe(413);
      expect((await request(clear(site), body, { "content-type": "text/plain" })).status).toBe(415);
      expect((await request(clear(site), body.subarray(0, 100))).status).toBe(400);
      expect(site.passed).toEqual([]);
    });
  });

  it("leaves what is no form to the location of error_page, with its body", async () => {
    await withNginx(options("error_page 415 = @done;", { keepsFiles: false }), async (site) => {
      expect(await request(clear(site), content, { "content-type": "application/json" })).toMatchObject({ status: 200 });
      expect(sum(site.passed[0]!.body)).toBe(sum(content));
    });
  });

  it("takes several uploads at once on one connection", async () => {
    await withNginx(options("upload_buffer_size 64k;"), async (site) => {
      const session = http2.connect(clear(site));
      const one = (): Promise<number> =>
        new Promise((resolve, reject) => {
          const stream = session.request({ ":method": "POST", ":path": "/upload", "content-type": type });
          stream.on("response", (headers) => resolve(Number(headers[":status"]))).on("error", reject);
          stream.end(body);
        });
      expect(await Promise.all([one(), one(), one(), one()])).toEqual([200, 200, 200, 200]);
      session.destroy();
      expect(new Set(site.files().map((path) => sum(readFileSync(path))))).toEqual(new Set([sum(content)]));
    });
  });

  it("removes the file of a stream that is reset, or whose connection is lost", async () => {
    await withNginx(options("", { keepsFiles: false }), async (site) => {
      for (const cut of ["stream", "session"] as const) {
        const session = http2.connect(clear(site));
        const stream = session.request({ ":method": "POST", ":path": "/upload", "content-type": type });
        stream.on("error", () => undefined);
        stream.write(body.subarray(0, 50_000));
        await site.until(() => site.files().length === 1, "a file");
        if (cut === "stream") stream.close(http2.constants.NGHTTP2_CANCEL);
        else session.destroy();
        await site.until(() => site.files().length === 0, "the file to go");
        session.destroy();
      }
      expect(site.passed).toEqual([]);
    });
  });

  it("limits the rate", async () => {
    await withNginx(options("upload_limit_rate 40k;"), async (site) => {
      const started = process.hrtime.bigint();
      const part = form([{ disposition: 'name="file"; filename="a"', body: "x".repeat(120_000) }]);
      expect((await request(clear(site), part)).status).toBe(200);
      expect(Number(process.hrtime.bigint() - started) / 1e9).toBeGreaterThan(1.5);
    });
  });
});

describe("module: HTTP/1.1 over TLS", () => {
  it.each([["with a length", true], ["chunked", false]])("stores an upload %s", async (_, length) => {
    await withNginx(options(), async (site) => {
      const status = await new Promise<number>((resolve, reject) => {
        const headers = { "content-type": type, ...(length ? { "content-length": body.length } : {}) };
        const outgoing = https.request(`${secure(site)}/upload`, { method: "POST", headers, ca: keys.certificate }, (response) => {
          response.resume().on("end", () => resolve(response.statusCode ?? 0));
        });
        outgoing.on("error", reject);
        outgoing.write(body.subarray(0, 1000));
        outgoing.end(body.subarray(1000));
      });
      expect(status).toBe(200);
      expect(sum(readFileSync(site.files()[0]!))).toBe(sum(content));
    });
  });
});
