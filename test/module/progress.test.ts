import http from "node:http";
import { describe, expect, it } from "vitest";
import { checkConfig, type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { uploadServer } from "../helpers/upload-site.ts";
import { boundary, form, head, WireClient } from "../helpers/wire.ts";

interface Listed {
  readonly id: string;
  readonly given: boolean;
  readonly name: string;
  readonly field: string;
  readonly received: number;
  readonly size: number | null;
  readonly started: number;
  readonly protocol: string;
}

function progressSite(more: Partial<NginxOptions> = {}, size = "1m"): NginxOptions {
  const server = `
    upload_progress_track uploads;
    ${uploadServer("client_body_buffer_size 64k;")}
    location /raw/ { upload_pass @done; upload_store %STORE%; upload_raw on; }
    location = /progress { upload_progress_report uploads; }
    location = /list { default_type application/json; return 200 $upload_progress_list; }`;
  return { http: `upload_progress_zone uploads ${size};`, server, keepsFiles: true, ...more };
}

const get = async (site: Nginx, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${site.port}${path}`, { headers: { ...headers, Connection: "close" } });

/** The answer of /progress, as clients of the well-known format read it. */
async function progress(site: Nginx, id: string): Promise<Record<string, unknown>> {
  const answer = await get(site, `/progress?X-Progress-ID=${id}`);
  expect([answer.status, answer.headers.get("content-type"), answer.headers.get("cache-control")]).toEqual([200, "application/json", "no-store"]);
  return (await answer.json()) as Record<string, unknown>;
}

const list = async (site: Nginx): Promise<Listed[]> => (await (await get(site, "/list")).json()) as Listed[];

async function settles(check: () => Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 1500; i++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited for ${what}`);
}

/** A request whose body is sent by the test, piece by piece. */
function begin(site: Nginx, path: string, size: number, headers: http.OutgoingHttpHeaders = {}, method = "POST"): { request: http.ClientRequest; answer: Promise<number> } {
  const request = http.request({ port: site.port, host: "127.0.0.1", path, method, agent: false, headers: { "Content-Type": `multipart/form-data; boundary=${boundary}`, "Content-Length": size, ...headers } });
  const answer = new Promise<number>((resolve) => {
    request.on("response", (response) => response.resume().on("end", () => resolve(response.statusCode ?? 0)));
    request.on("error", () => resolve(0));
  });
  request.flushHeaders();
  return { request, answer };
}

const body = form([{ disposition: 'name="photo"; filename="sea.jpg"', type: "image/jpeg", body: Buffer.alloc(300_000, "x") }]);

describe("module: progress", { timeout: 60_000 }, () => {
  it("shows a form growing, and then that it is done", async () => {
    await withNginx(progressSite(), async (site) => {
      expect(await progress(site, "p1")).toEqual({ state: "starting" });
      const { request, answer } = begin(site, "/upload?X-Progress-ID=p1", body.length);
      request.write(body.subarray(0, 1000));
      await settles(async () => (await progress(site, "p1"))["received"] === 1000, "the first 1000 bytes");
      expect(await progress(site, "p1")).toEqual({ state: "uploading", received: 1000, size: body.length });
      request.write(body.subarray(1000, 200_000));
      await settles(async () => (await progress(site, "p1"))["received"] === 200_000, "200,000 bytes");
      const [one, ...others] = await list(site);
      expect(others).toEqual([]);
      expect(one).toEqual({ id: "p1", given: true, name: "sea.jpg", field: "photo", received: 200_000, size: body.length, started: one?.started, protocol: "form" });
      expect(Math.abs((one?.started ?? 0) - Date.now() / 1000)).toBeLessThan(10);
      request.end(body.subarray(200_000));
      expect(await answer).toBe(200);
      await settles(async () => (await progress(site, "p1"))["state"] === "done", "the end");
      expect(await list(site)).toEqual([]);
    });
  });

  it("takes the id from a header, and names a plain PUT by its address", async () => {
    await withNginx(progressSite(), async (site) => {
      const { request, answer } = begin(site, "/raw/a%22b%0Ac.dat", 10, { "X-Progress-ID": "h-1", "Content-Type": "text/plain" }, "PUT");
      request.write("12345");
      await settles(async () => (await list(site))[0]?.received === 5, "five bytes");
      expect(await list(site)).toEqual([expect.objectContaining({ id: "h-1", name: 'a"b\nc.dat', size: 10, protocol: "raw" })]);
      expect(await (await get(site, "/progress", { "X-Progress-ID": "h-1" })).text()).toBe('{ "state" : "uploading", "received" : 5, "size" : 10 }\n');
      request.end("67890");
      expect(await answer).toBe(200);
    });
  });

  it("says that an upload was cut off, and with which status one was refused", async () => {
    await withNginx(progressSite({ answer: () => ({ status: 422 }) }), async (site) => {
      const cut = begin(site, "/upload?X-Progress-ID=cut", body.length);
      cut.request.write(body.subarray(0, 1000));
      await settles(async () => (await list(site)).length === 1, "the upload");
      cut.request.destroy();
      await settles(async () => (await progress(site, "cut"))["state"] === "error", "the cut");
      expect(await progress(site, "cut")).toEqual({ state: "error", status: 499 });

      const refused = begin(site, "/upload?X-Progress-ID=refused", body.length);
      refused.request.end(body);
      expect(await refused.answer).toBe(422);
      await settles(async () => (await progress(site, "refused"))["state"] === "error", "the refusal");
      expect(await progress(site, "refused")).toEqual({ state: "error", status: 422 });

      const wrong = begin(site, "/upload?X-Progress-ID=wrong", 5, { "Content-Type": "text/plain" });
      expect(await wrong.answer).toBe(415);
      expect(await progress(site, "wrong")).toEqual({ state: "error", status: 415 });
    });
  });

  it("knows an upload without an id, or with a hostile one, by its request id", async () => {
    await withNginx(progressSite(), async (site) => {
      const ids = ["", "a".repeat(65), "a%00b", "%22%7D", "..%2F", "é"];
      const uploads = ids.map((id) => begin(site, `/upload?X-Progress-ID=${encodeURI(id)}`, body.length));
      await settles(async () => (await list(site)).length === ids.length, "all uploads");
      for (const one of await list(site)) {
        expect(one).toMatchObject({ given: false, received: 0 });
        expect(one.id).toMatch(/^[0-9a-f]{32}$/);
      }
      for (const id of ids) expect((await get(site, `/progress?X-Progress-ID=${encodeURI(id)}`)).status).toBe(400);
      expect((await get(site, "/progress")).status).toBe(400);
      for (const { request } of uploads) request.destroy();
      await settles(async () => (await list(site)).length === 0, "their end");
    });
  });

  it("cuts long names at a whole character, and mends what is no UTF-8", async () => {
    await withNginx(progressSite(), async (site) => {
      const client = await WireClient.open(site.port);
      const parts = form([{ disposition: Buffer.from(`name="f"; filename="${"é".repeat(150)}"`), body: Buffer.alloc(100) }]);
      client.write(head("/upload", { length: parts.length }));
      client.write(parts.subarray(0, parts.length - 60));
      await settles(async () => (await list(site))[0]?.name === "é".repeat(96), "the name");
      client.destroy();
      const second = await WireClient.open(site.port);
      const mangled = form([{ disposition: 'name="f"; filename="X\u00ffY\u0001Z"', body: Buffer.alloc(100) }]);
      second.write(head("/upload", { length: mangled.length }));
      second.write(mangled.subarray(0, mangled.length - 60));
      await settles(async () => (await list(site)).some(({ name }) => name === "X?Y%01Z"), "the mended name");
      second.destroy();
    });
  });

  it("shows the file of a form that is coming", async () => {
    await withNginx(progressSite(), async (site) => {
      const many = form([1, 2, 3].map((n) => ({ disposition: `name="f${n}"; filename="${n}.txt"`, body: Buffer.alloc(100_000, "x") })));
      const { request, answer } = begin(site, "/upload?X-Progress-ID=many", many.length);
      request.write(many.subarray(0, 150_000));
      await settles(async () => (await list(site))[0]?.name === "2.txt", "the second file");
      request.end(many.subarray(150_000));
      expect(await answer).toBe(200);
    });
  });

  it("evicts what has ended first, and leaves out what has no room, which is stored all the same", async () => {
    await withNginx(progressSite({ connections: 512 }, "32k"), async (site) => {
      const old = begin(site, "/upload?X-Progress-ID=old", body.length);
      old.request.end(body);
      expect(await old.answer).toBe(200);
      await settles(async () => (await progress(site, "old"))["state"] === "done", "the first");
      const uploads = Array.from({ length: 80 }, (_, n) => begin(site, `/upload?X-Progress-ID=u${n}`, body.length));
      await settles(async () => /is full/.test(site.log()), "a full zone");
      await settles(async () => (await progress(site, "old"))["state"] === "starting", "the eviction");
      expect((await list(site)).length).toBeLessThan(80);
      for (const { request } of uploads) request.end(body);
      expect(new Set(await Promise.all(uploads.map(({ answer }) => answer)))).toEqual(new Set([200]));
      await settles(async () => (await list(site)).length === 0, "the end of all");
    });
  });

  it("is one for all workers, and for those of the configuration before", async () => {
    await withNginx(progressSite({ workers: 2 }), async (site) => {
      const uploads = Array.from({ length: 8 }, (_, n) => begin(site, `/upload?X-Progress-ID=w${n}`, body.length));
      for (const { request } of uploads) request.write(body.subarray(0, 5000));
      const all = async (): Promise<boolean> => (await list(site)).filter(({ received }) => received === 5000).length === 8;
      await settles(all, "all eight");
      const before = site.workers();
      process.kill(site.master, "SIGHUP");
      await settles(async () => site.workers().some((pid) => !before.includes(pid)), "the reload");
      await settles(all, "all eight after the reload");
      uploads[0]?.request.write(body.subarray(5000, 9000));
      await settles(async () => (await progress(site, "w0"))["received"] === 9000, "growth in a worker of before");
      uploads[0]?.request.end(body.subarray(9000));
      expect(await uploads[0]?.answer).toBe(200);
      await settles(async () => (await progress(site, "w0"))["state"] === "done", "the end");
      for (const { request } of uploads) request.destroy();
      await settles(async () => (await list(site)).length === 0, "the end of all");
    });
  });

  it("forgets nothing and keeps nothing of a worker that is killed", async () => {
    await withNginx(progressSite({ expectLog: /exited on signal 9/ }), async (site) => {
      const { request, answer } = begin(site, "/upload?X-Progress-ID=lost", body.length);
      request.write(body.subarray(0, 5000));
      await settles(async () => (await list(site))[0]?.received === 5000, "the upload");
      const [worker] = site.workers();
      process.kill(worker!, "SIGKILL");
      expect(await answer).toBe(0);
      await site.until(() => site.workers().some((pid) => pid !== worker), "another worker");
      await settles(async () => (await list(site)).length === 0, "the sweep");
      expect(await progress(site, "lost")).toEqual({ state: "error", status: 500 });
    });
  });

  it.each([
    ["upload_progress_zone uploads 4k;", "", "too small, got \"4k\""],
    ["upload_progress_zone uploads 1m; upload_progress_zone uploads 1m;", "", "is duplicate"],
    ["", "upload_progress_track nowhere;", "zero size shared memory zone \"nowhere\""],
    ["upload_progress_zone uploads 1m;", "upload_progress_track uploads; upload_progress_track off;", "is duplicate"],
  ])("refuses %s %s", (inHttp, server, says) => {
    const { ok, output } = checkConfig({ http: inHttp, server });
    expect(ok).toBe(false);
    expect(output).toContain(says);
  });
});
