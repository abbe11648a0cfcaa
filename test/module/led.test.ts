import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Answer, withNginx } from "../helpers/nginx.ts";
import { classicFields, fieldOf, fieldsOf, uploadServer } from "../helpers/upload-site.ts";
import { exchange, form, head, post, WireClient } from "../helpers/wire.ts";

const file = { disposition: 'name="file"; filename="a.txt"', body: "content" };
const request = post("/upload", form([file]));
const upload = `location @upload { upload_pass @done; upload_store %STORE%; ${classicFields} }`;
const target = "location @done { proxy_pass http://%UPSTREAM%; }";

/** The answer, of a client whose body comes in two pieces. */
async function inPieces(port: number, bytes: Buffer, cut = 60): Promise<number> {
  const client = await WireClient.open(port);
  client.write(bytes.subarray(0, -cut));
  await new Promise((resolve) => setTimeout(resolve, 100));
  client.write(bytes.subarray(-cut));
  const { status } = await client.answer();
  client.destroy();
  return status;
}

describe("module: an upload that nginx has led to", () => {
  it.each([
    ["return 405; error_page 405 =200 @upload;", 200],
    ["return 404; error_page 404 @upload;", 404],
    ["return 418; error_page 418 = @upload;", 201],
    ["deny all; error_page 403 =202 @upload;", 202],
    ["root %FOLDER%/none; try_files $uri @upload;", 201],
  ])("by %s, whose body comes slowly", async (directives, status) => {
    const server = `location /upload { ${directives} } ${upload} ${target}`;
    await withNginx({ server, answer: () => ({ status: 201 }), keepsFiles: true }, async (site) => {
      expect(await inPieces(site.port, request)).toBe(status);
      expect(fieldOf(site.passed[0], "file.size")).toBe("7");
      expect(site.files()).toHaveLength(1);
    });
  });

  it.each([
    ["an application's X-Accel-Redirect", "rewrite ^ /ask break; proxy_pass_request_body off; proxy_set_header Content-Length ''; proxy_pass http://%UPSTREAM%;"],
    ["an application's error", "proxy_intercept_errors on; error_page 404 = @upload; rewrite ^ /missing break; proxy_pass http://%UPSTREAM%;"],
  ])("by %s: the file stays only when its target has answered", async (_, directives) => {
    const answer = ({ url }: { url: string }): Answer => (url === "/ask" ? { headers: { "x-accel-redirect": "@upload" } } : { status: url === "/missing" ? 404 : 201 });
    const server = `location /upload { ${directives} } ${upload}`;
    await withNginx({ server: `${server} location @done { proxy_pass http://127.0.0.1:1; }`, answer }, async (site) => {
      expect((await exchange(site.port, request)).status).toBe(502);
      await site.until(() => site.files().length === 0, "the file to go");
    });
    await withNginx({ server: `${server} location @done { rewrite ^ /done break; proxy_pass http://%UPSTREAM%; }`, answer, keepsFiles: true }, async (site) => {
      expect((await exchange(site.port, request)).status).toBe(201);
      expect(site.files()).toHaveLength(1);
    });
  });
});

describe("module: error_page 405 415 = @app, for what is no upload", () => {
  const server = `${uploadServer("error_page 405 415 = @app;")} location @app { proxy_pass http://%UPSTREAM%; }`;
  const json = '{"a":1}';

  it.each([
    ["POST", "application/json"],
    ["PUT", "text/plain"],
    ["DELETE", null],
  ])("passes %s on with its body, and keeps the connection", async (method, type) => {
    await withNginx({ server }, async (site) => {
      const client = await WireClient.open(site.port);
      const bytes = post("/upload?a=b", Buffer.from(json), { method, type });
      for (const one of [bytes, bytes]) {
        client.write(one);
        expect(await client.answer()).toMatchObject({ status: 200, body: "done" });
      }
      client.destroy();
      expect(site.passed.map((passed) => [passed.method, passed.url, passed.body.toString()])).toEqual([[method, "/upload?a=b", json], [method, "/upload?a=b", json]]);
    });
  });

  it("asks for a body that waits to be asked for", async () => {
    await withNginx({ server }, async (site) => {
      const client = await WireClient.open(site.port);
      client.write(head("/upload", { length: json.length, type: "application/json", extra: ["Expect: 100-continue"] }));
      expect((await client.answer()).status).toBe(100);
      client.write(json);
      expect((await client.answer()).status).toBe(200);
      client.destroy();
      expect(site.passed[0]!.body.toString()).toBe(json);
    });
  });

  it.each([["POST", "application/json"], ["PUT", null]])("may lead %s to another upload, which takes the body as the file", async (method, type) => {
    const raw = `location @app { upload_pass @done; upload_store %STORE%; upload_raw on; ${classicFields} }`;
    await withNginx({ server: `${uploadServer("error_page 405 415 = @app;")} ${raw}`, keepsFiles: true }, async (site) => {
      expect(await inPieces(site.port, post("/upload", Buffer.from(json), { method, type }), 3)).toBe(200);
      expect(fieldsOf(site.passed[0])).toContainEqual([".path", site.files()[0]]);
      expect(readFileSync(site.files()[0]!, "utf8")).toBe(json);
    });
  });

  it("takes forms all the same, and passes on no form that it has refused", async () => {
    await withNginx({ server: server.replace("405 415", "400 405 413 415"), keepsFiles: true }, async (site) => {
      expect((await exchange(site.port, request)).status).toBe(200);
      expect((await exchange(site.port, post("/upload", form([file]).subarray(0, 90)))).status).toBe(200);
      expect(site.passed.map(({ body }) => body.length > 0)).toEqual([true, false]);
    });
  });
});

describe("module: a target that nginx does not let the request in to", () => {
  const refusals: readonly (readonly [string, string, number])[] = [
    ["access rules", "deny all;", 403],
    ["auth_request", "auth_request /may;", 403],
    ["client_max_body_size", "client_max_body_size 10;", 413],
    ["return", "return 409;", 409],
    ["proxy_pass without a value", "proxy_pass $arg_none;", 500],
  ];
  const withTarget = (directives: string, more = ""): string =>
    `location /upload { upload_pass /done; upload_store %STORE%; ${classicFields} } location /done { ${/proxy_pass/.test(directives) ? "" : "proxy_pass http://%UPSTREAM%;"} ${directives} } location = /may { return 403; } ${more}`;

  it.each(refusals)("%s: nobody knows of the file, so it goes", async (_, directives, status) => {
    await withNginx({ server: withTarget(directives) }, async (site) => {
      expect((await exchange(site.port, request)).status).toBe(status);
      await site.until(() => site.files().length === 0, "the file to go");
      expect(site.passed).toEqual([]);
    });
  });

  it("shows an error page that is a file, and the file goes as well", async () => {
    await withNginx({ server: withTarget("deny all;", "error_page 403 /page; location = /page { internal; root %FOLDER%; try_files /nginx.conf =404; }") }, async (site) => {
      expect(await exchange(site.port, request)).toMatchObject({ status: 403, body: expect.stringContaining("worker_processes") });
      await site.until(() => site.files().length === 0, "the file to go");
    });
  });

  it.each([["return 200 fine;", 200], ["return 303 /thanks;", 303]])("is content with a target that is nginx's own: %s", async (directives, status) => {
    await withNginx({ server: withTarget(directives), keepsFiles: true }, async (site) => {
      expect((await exchange(site.port, request)).status).toBe(status);
      expect(site.files()).toHaveLength(1);
    });
  });
});

describe("module: a post_action behind the answer", () => {
  it.each([
    ["an application", "proxy_pass http://%UPSTREAM%;"],
    ["nginx's own", "set $done 1; try_files /none @fine;"],
  ])("has no say in what becomes of the file: the target is %s", async (_, directives) => {
    const server = `${uploadServer("upload_cleanup 400-599;").replace("proxy_pass http://%UPSTREAM%;", `post_action /after; ${directives}`)}
      location @fine { post_action /after; return 200 fine; } location = /after { internal; proxy_pass http://127.0.0.1:1; }`;
    await withNginx({ server, keepsFiles: true }, async (site) => {
      expect((await exchange(site.port, request)).status).toBe(200);
      await site.until(() => /"http:\/\/127\.0\.0\.1:1\/after"/.test(site.log()), "the action");
      expect(site.files()).toHaveLength(1);
    });
  });
});
