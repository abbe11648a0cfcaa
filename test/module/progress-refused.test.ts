import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { fieldBlock, flags, frame, frameTypes } from "../hostile/frames.ts";
import { connectionStart, FrameClient } from "../helpers/hostile-http2.ts";
import { type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { exchange, head, post, WireClient } from "../helpers/wire.ts";

/** A location of uploads for each way to be refused before one begins: its directives, and the status that is answered. */
const refusals: Readonly<Record<string, readonly [string, number]>> = {
  "client_max_body_size": ["client_max_body_size 10;", 413],
  "client_max_body_size, told by a page that is tracked": ["client_max_body_size 10; error_page 413 /tracked-page;", 413],
  "auth_request, 401": ["auth_request /auth/401;", 401],
  "auth_request, 403": ["auth_request /auth/403;", 403],
  "auth_request, a status it does not know": ["auth_request /auth/507;", 500],
  "auth_request, told by a page": ["auth_request /auth/403; error_page 403 /page;", 403],
  "auth_request, made a 409 by a named location": ["auth_request /auth/403; error_page 403 = @conflict;", 409],
  "auth_request, made a 507": ["auth_request /auth/403; error_page 403 =507 /page;", 507],
  "auth_request, left to a page": ["auth_request /auth/403; recursive_error_pages on; error_page 403 = /gone;", 410],
  "limit_except": ["limit_except GET { deny all; }", 403],
  "return": ["return 405;", 405],
  "the location that its own leads to": ["rewrite ^ /auth-last last;", 401],
};

const ways = Object.keys(refusals);

const upload = "upload_pass @done; upload_store %STORE%; upload_raw on;";

function site(more: Partial<NginxOptions> = {}, size = "1m"): NginxOptions {
  return {
    http: `upload_progress_zone uploads ${size}; limit_conn_zone $hostname zone=one:1m; limit_req_zone $hostname zone=rate:1m rate=1r/m;`,
    listen: "listen 127.0.0.1:%PORT%; listen 127.0.0.1:%TLS_PORT% http2;",
    server: `
    location @done { return 200; }
    location @conflict { return 409; }
    location /gone { return 410; }
    location /page { return 200 "a page"; }
    location /tracked-page { upload_progress_track uploads; return 200 "a page"; }
    ${[401, 403, 507].map((status) => `location = /auth/${status} { return ${status}; }`).join(" ")}
    location /auth-last { upload_progress_track uploads; ${upload} auth_request /auth/401; }
    ${ways.map((way, n) => `location /w${n} { upload_progress_track uploads; ${upload} ${refusals[way]![0]} }`).join("\n    ")}
    location /open { upload_progress_track uploads; ${upload} }
    location /form { upload_progress_track uploads; upload_pass @done; upload_store %STORE%; }
    location /try { try_files /none @tracked; }
    location @tracked { upload_progress_track uploads; ${upload} auth_request /auth/401; }
    location /untracked { ${upload} auth_request /auth/401; }
    location /conn { upload_progress_track uploads; ${upload} limit_conn one 1; }
    location /rate { upload_progress_track uploads; ${upload} limit_req zone=rate; }
    location /undecided { upload_progress_track uploads; ${upload} auth_request /question; }
    location /question { proxy_pass http://%UPSTREAM%; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
    location /list { upload_progress_track uploads; default_type application/json; return 200 $upload_progress_list; }
    location = /progress { upload_progress_track uploads; upload_progress_report uploads; }`,
    keepsFiles: true,
    ...more,
  };
}

const get = async (nginx: Nginx, path: string): Promise<unknown> => (await fetch(`http://127.0.0.1:${nginx.port}${path}`, { headers: { Connection: "close" } })).json();
const progress = async (nginx: Nginx, id: string): Promise<unknown> => get(nginx, `/progress?X-Progress-ID=${id}`);

const LENGTH = 100_000;
const unknown = { state: "starting" };
const error = (status: number): unknown => ({ state: "error", status });

interface Sent {
  /** The answer's status. */
  readonly status: Promise<number>;
  destroy(): void;
}

/** Sends the head of an upload and some of its body, and leaves the connection as it is. */
const senders: Readonly<Record<string, (nginx: Nginx, path: string, id: string) => Promise<Sent>>> = {
  "HTTP/1.1": async (nginx, path, id) => {
    const client = await WireClient.open(nginx.port);
    client.write(head(path, { method: "PUT", type: null, length: LENGTH, extra: [`X-Progress-ID: ${id}`] }));
    client.write(Buffer.alloc(20));
    return { status: client.answer().then(({ status }) => status), destroy: () => client.destroy() };
  },
  "HTTP/2": async (nginx, path, id) => {
    const client = await FrameClient.open(nginx.tlsPort);
    const fields = [[":method", "PUT"], [":scheme", "http"], [":path", `${path}?X-Progress-ID=${id}`], [":authority", "localhost"], ["content-length", `${LENGTH}`]] as const;
    client.write(Buffer.concat([connectionStart, frame(frameTypes.headers, flags.endHeaders, 1, fieldBlock(fields)), frame(frameTypes.data, 0, 1, Buffer.alloc(20))]));
    return { status: client.status(), destroy: () => client.destroy() };
  },
};

async function settles(nginx: Nginx, id: string, state: unknown): Promise<void> {
  for (let i = 0; i < 1500; i++) {
    if (isDeepStrictEqual(await progress(nginx, id), state)) return;
    await sleep(20);
  }
  throw new Error(`waited for ${JSON.stringify(state)}, got ${JSON.stringify(await progress(nginx, id))}`);
}

/** An upload of ten bytes that lacks its last five. */
async function underWay(nginx: Nginx, path: string, id: string): Promise<WireClient> {
  const client = await WireClient.open(nginx.port);
  client.write(Buffer.concat([head(path, { method: "PUT", type: null, length: 10, extra: [`X-Progress-ID: ${id}`] }), Buffer.from("12345")]));
  await settles(nginx, id, uploading);
  return client;
}

const uploading = { state: "uploading", received: 5, size: 10 };

describe.each(Object.keys(senders))("module: progress of an upload over %s that is refused before it begins", (protocol) => {
  const send = senders[protocol]!;

  it.each(ways)("by %s: the error, as soon as it is answered", async (way) => {
    await withNginx(site(), async (nginx) => {
      const status = refusals[way]![1];
      const sent = await send(nginx, `/w${ways.indexOf(way)}`, "early");
      expect(await sent.status).toBe(status);
      // nginx still reads what may come of the body.
      expect(await progress(nginx, "early")).toEqual(error(status));
      expect(await get(nginx, "/list")).toEqual([]);
      sent.destroy();
    });
  });

  it.each(["/conn", "/rate"])("by the limit of %s: the error, but not of the upload that has the id", async (path) => {
    await withNginx(site(), async (nginx) => {
      const first = await underWay(nginx, path, "first");
      for (const [id, state] of [["second", error(503)], ["first", uploading]] as const) {
        const sent = await send(nginx, path, id);
        expect(await sent.status).toBe(503);
        expect(await progress(nginx, id)).toEqual(state);
        sent.destroy();
      }
      first.write("67890");
      expect((await first.answer()).status).toBe(200);
      first.destroy();
      await settles(nginx, "first", { state: "done" });
    });
  });

  it.each([
    ["the module, for its method", "/form", 405],
    ["a tracked location behind one that is not", "/try", 401],
  ])("by %s: the error", async (_, path, status) => {
    await withNginx(site(), async (nginx) => {
      const sent = await send(nginx, path, "other");
      expect(await sent.status).toBe(status);
      expect(await progress(nginx, "other")).toEqual(error(status));
      sent.destroy();
    });
  });

  it("by nobody, as its client goes before it is decided: 499", async () => {
    await withNginx(site({ answer: () => undefined }), async (nginx) => {
      const sent = await send(nginx, "/undecided", "gone");
      sent.status.catch(() => undefined);
      await nginx.until(() => nginx.passed.length === 1, "the question");
      expect(await progress(nginx, "gone")).toEqual(unknown);
      sent.destroy();
      await settles(nginx, "gone", error(499));
    });
  });
});

describe("module: progress of what is refused", () => {
  it("says nothing of what is no upload", async () => {
    await withNginx(site(), async (nginx) => {
      const body = Buffer.alloc(5);
      const asked = ["GET", "DELETE", "OPTIONS", "MOVE"].map((method) => post("/w2?X-Progress-ID=no", body, { method }));
      const empty = ["POST", "PUT"].flatMap((method) => [head("/w2?X-Progress-ID=no", { method }), head("/w2?X-Progress-ID=no", { method, length: 0 })]);
      for (const request of [...asked, ...empty]) expect((await exchange(nginx.port, request)).status, request.toString()).toBe(401);
      expect((await exchange(nginx.port, post("/progress?X-Progress-ID=no", body))).status).toBe(405);
      expect((await exchange(nginx.port, post("/untracked?X-Progress-ID=no", body, { method: "PUT" }))).status).toBe(401);
      expect((await exchange(nginx.port, post("/page?X-Progress-ID=no", body))).status).toBe(200);
      expect(await progress(nginx, "no")).toEqual(unknown);
      const long = "a".repeat(65);
      for (const id of [long, "a%00", ""]) expect((await exchange(nginx.port, post(`/w2?X-Progress-ID=${id}`, body))).status).toBe(401);
      for (const id of [long.slice(1), "a", "a%00"]) expect(await get(nginx, `/progress?X-Progress-ID=${encodeURIComponent(id)}`).catch(() => unknown)).toEqual(unknown);
      expect((await exchange(nginx.port, head("/w2", { extra: ["Transfer-Encoding: chunked", "X-Progress-ID: no"] }), "0\r\n\r\n")).status).toBe(401);
      expect(await progress(nginx, "no")).toEqual(error(401));
    });
  });

  it("lets what comes later with the same id count", async () => {
    await withNginx(site(), async (nginx) => {
      const refused = async (path: string, status: number): Promise<void> => {
        expect((await exchange(nginx.port, post(`${path}?X-Progress-ID=again`, Buffer.alloc(20), { method: "PUT" }))).status).toBe(status);
        expect(await progress(nginx, "again")).toEqual(error(status));
      };
      await refused("/w2", 401);
      await refused("/w3", 403);
      const client = await underWay(nginx, "/open", "again");
      client.write("67890");
      expect((await client.answer()).status).toBe(200);
      client.destroy();
      await settles(nginx, "again", { state: "done" });
      await refused("/w0", 413);
    });
  });

  it("costs a full zone nothing of any upload", async () => {
    await withNginx(site({}, "32k"), async (nginx) => {
      const refuse = async (id: string): Promise<void> => void (await exchange(nginx.port, post(`/w2?X-Progress-ID=${id}`, Buffer.alloc(20), { method: "PUT" })));
      const store = async (id: string): Promise<void> => void (await exchange(nginx.port, post(`/open?X-Progress-ID=${id}`, Buffer.alloc(20), { method: "PUT" })));
      const states = async (prefix: string): Promise<unknown[]> => Promise.all(Array.from({ length: 100 }, async (_, n) => progress(nginx, `${prefix}${n}`)));
      await store("done");
      const running = await underWay(nginx, "/open", "running");
      for (let n = 0; n < 100; n++) await refuse(`r${n}`);
      const known = (await states("r")).map((state) => !isDeepStrictEqual(state, unknown));
      const room = known.filter(Boolean).length;
      expect(room).toBeGreaterThan(10);
      expect(room).toBeLessThan(100);
      // The newest ones.
      expect(known).toEqual(known.map((_, n) => n >= 100 - room));
      expect([await progress(nginx, "done"), await progress(nginx, "running")]).toEqual([{ state: "done" }, uploading]);
      for (let n = 0; n < room; n++) await store(`s${n}`);
      expect((await states("r")).every((state) => isDeepStrictEqual(state, unknown))).toBe(true);
      expect([await progress(nginx, "done"), await progress(nginx, "s0")]).toEqual([{ state: "done" }, { state: "done" }]);
      await refuse("late");
      expect(await progress(nginx, "late")).toEqual(unknown);
      expect(await progress(nginx, "running")).toEqual(uploading);
      running.destroy();
    });
  });
});
