import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { checkConfig, withNginx } from "../helpers/nginx.ts";
import { digestField, readState } from "../helpers/pieces.ts";
import { fieldOf, fieldsOf, uploadServer, uploadSite } from "../helpers/upload-site.ts";
import { exchange, form, head, post, WireClient } from "../helpers/wire.ts";

const file = { disposition: 'name="file"; filename="a.txt"', body: "content" };
const request = post("/upload", form([file]));
/** Names of the module's directives, but those of progress. */
const directives = [...readFileSync("module/src/ngx_http_upload_module.c", "utf8").matchAll(/\{ ngx_string\("(upload_\w+)"\)/g)].map(([, name = ""]) => name);
const done = "location @done { proxy_pass http://%UPSTREAM%; }";

describe("module: configuration", () => {
  it.each([
    ["no store", "location /u { upload_pass /x; }", /upload_store: missing in location "\/u"/],
    ["a target that is none", "location /u { upload_pass x; upload_store /x; }", /upload_pass: neither a URI nor a named location, got "x"/],
    ["a target twice", "location /u { upload_pass /x; upload_pass /y; upload_store /x; }", /"upload_pass" directive is duplicate/],
    ["a store twice", "upload_store /x; upload_store /y;", /"upload_store" directive is duplicate/],
    ["an empty store", 'upload_store "";', /"upload_store" directive must not be empty/],
    ["a level of 0", "upload_store /x 0;", /upload_store: not a level, got "0"/],
    ["11 digits of levels", "upload_store /x 4 4 3;", /upload_store: not a level, got "3"/],
    ["a store of variables that climbs", "upload_store /x/../$arg_a;", /may not contain both variables and ".."/],
    ["a broken expression", 'upload_pass_form_field "(";', /upload_pass_form_field: pcre/],
    ["a status below 200", "upload_cleanup 100;", /upload_cleanup: not a status or a range, got "100"/],
    ["a range backwards", "upload_cleanup 500-400;", /got "500-400"/],
    ["a status that is none", "upload_cleanup 4xx;", /got "4xx"/],
    ["a buffer of nothing", "upload_buffer_size 0;", /must be more than 0/],
    ["an unknown variable", "upload_set_form_field a $no_such_thing;", /unknown "no_such_thing" variable/],
    ["a broken variable", 'upload_set_form_field a "${b";', /nginx\.conf:\d+/],
    ["an access that is none", "upload_store_access user:x;", /invalid value "user:x"/],
  ])("refuses %s, and says so", (_, server, message) => {
    const { ok, output } = checkConfig({ server });
    expect(output).toMatch(message);
    expect(ok).toBe(false);
  });

  it("names the line of a directive that is compiled late", () => {
    const server = ["location /u {", "  upload_store /x;", "  upload_pass /x;", '  upload_set_form_field a "${b";', "}"].join("\n");
    const { output } = checkConfig({ server });
    const line = Number(/nginx\.conf:(\d+)/.exec(output)![1]);
    const last = Number(/nginx\.conf:(\d+)/.exec(checkConfig({ server: `${server}\nnonsense;` }).output.replace(/^.*invalid variable.*$/m, ""))?.[1] ?? line + 2);
    expect(last - line).toBe(2);
  });

  it("takes every directive at every level", () => {
    const lines = `
      upload_store %STORE% 1 2; upload_store_access user:rw group:rw; upload_set_form_field a b; upload_aggregate_form_field c d;
      upload_pass_form_field "^x$"; upload_cleanup 400 404 499 500-505; upload_buffer_size 1m; upload_merge_buffer_size 1m;
      upload_range_header_buffer_size 1k; upload_max_part_header_len 1k; upload_max_file_size 20g; upload_max_output_body_len 1m;
      upload_limit_rate 1m; upload_pass_args on; upload_tame_arrays on; upload_empty_fiels_names on; upload_add_header X y;
      upload_sync off; upload_min_free_space 1g; upload_thread_pool default; upload_checksums md5 crc32; upload_max_parts 10; upload_max_fields 5;
      upload_resumable on; upload_state_store %STORE% 2; upload_raw on; upload_raw_path %STORE%/$arg_a; upload_raw_offset $arg_b;
      upload_raw_length $arg_c; upload_raw_digest $arg_d; upload_reserve on;`;
    expect([...lines.matchAll(/upload_\w+/g)].map(([name]) => name).sort()).toEqual(directives.filter((name) => name !== "upload_pass" && name !== "upload_empty_fields_names").sort());
    const place = `upload_pass @done; ${lines}`;
    const server = `${place} location /u { ${place} if ($arg_a) { ${place} } limit_except POST { ${place} deny all; } location /u/v { ${place} } } ${done}`;
    // Two spellings of one.
    for (const spelling of ["fiels", "fields"]) {
      const spelled = (text: string): string => text.replaceAll("upload_empty_fiels_names", `upload_empty_${spelling}_names`);
      expect(checkConfig({ server: spelled(server), http: spelled(place) }).output).toMatch(/test is successful/);
    }
  });

  it("inherits what a location does not say itself", async () => {
    const server = `
      upload_pass @done; upload_store %STORE%; upload_state_store %STORE%/states; upload_resumable on; upload_raw on; upload_raw_path $http_x_path;
      upload_raw_offset $http_x_offset; upload_raw_length $http_x_length; upload_raw_digest $http_x_digest; upload_empty_fields_names on;
      upload_set_form_field outcome "$upload_outcome"; upload_pass_form_field "";
      location /piece { upload_pass @done; }
      location /unchecked { upload_pass @done; upload_raw_digest ""; }
      location /new { upload_pass @done; upload_raw_path ""; }
      location /ranged { upload_pass @done; upload_raw off; }
      location /beside { upload_pass @done; upload_raw off; upload_state_store %STORE%; }
      location /form { upload_pass @done; upload_raw off; upload_resumable off; }
      location /named { upload_pass @done; upload_raw off; upload_empty_fields_names off; }
      ${done}`;
    await withNginx({ server, keepsFiles: true }, async (site) => {
      const states = join(site.store, "states");
      mkdirSync(states);
      const type = "application/octet-stream";
      const piece = (to: string, extra: readonly string[] = []): Promise<number> =>
        exchange(site.port, post(to, Buffer.from("content"), { method: "PATCH", type, extra: [`X-Path: ${site.store}/piece`, "X-Offset: 3", "X-Length: 10", ...extra] })).then(({ status }) => status);
      const wrong = [`X-Digest: ${digestField(Buffer.from("other"))}`];
      expect([await piece("/piece", wrong), await piece("/unchecked", wrong), await piece("/piece")]).toEqual([400, 200, 200]);
      expect(readState(join(site.store, "piece.state"))).toMatchObject({ total: 10, ranges: [[3, 10]] });
      expect(await piece("/new")).toBe(200);
      expect(await piece("/ranged")).toBe(405);

      const segment = (to: string, id: string): Promise<number> =>
        exchange(site.port, post(to, Buffer.from("content"), { type, extra: [`Session-ID: ${id}`, "Content-Range: bytes 0-6/10"] })).then(({ status }) => status);
      expect([await segment("/ranged", "a"), await segment("/beside", "b"), await segment("/form", "c")]).toEqual([201, 201, 415]);
      const where = site.files().filter((path) => /\/[abc]\.\d+\.state$/.test(path)).map((path) => path.slice(site.store.length, -".0000000000.state".length));
      expect(where).toEqual(["/b", "/states/a"]);

      const nameless = post("/form", form([{ disposition: 'name=""', body: "1" }]));
      await exchange(site.port, nameless);
      await exchange(site.port, Buffer.from(nameless.toString("latin1").replace("/form", "/named"), "latin1"));
      expect(site.passed.slice(-2).map((one) => fieldsOf(one))).toEqual([[["", "1"]], []]);
    });
  });

  it("inherits the thread pool, and leaves it by off", () => {
    const server = (own: string): string => `upload_thread_pool none; upload_store %STORE%; location /u { upload_pass @done; ${own} } ${done}`;
    expect(checkConfig({ server: server("") }).output).toMatch(/unknown thread pool "none"/);
    expect(checkConfig({ server: server("upload_thread_pool off;") }).output).toMatch(/test is successful/);
  });

  it("inherits the target into a nested location, but not the handler; lists are replaced", async () => {
    const server = `
      upload_pass @done; upload_store %STORE%; upload_set_form_field server x; upload_pass_form_field "^a$";
      location /plain { return 200 plain; }
      location /upload { upload_pass @done;
        location /upload/nested { return 200 nested; }
        location /upload/own { upload_pass @done; upload_set_form_field own x; } }
      ${done}`;
    await withNginx({ server, keepsFiles: true }, async ({ port, passed }) => {
      const body = form([file, { disposition: 'name="a"', body: "1" }]);
      expect((await exchange(port, post("/plain", body))).body).toBe("plain");
      expect((await exchange(port, post("/upload/nested", body))).body).toBe("nested");
      await exchange(port, post("/upload", body));
      await exchange(port, post("/upload/own", body));
      expect(passed.map((one) => fieldsOf(one))).toEqual([[["server", "x"], ["a", "1"]], [["own", "x"], ["a", "1"]]]);
    });
  });

  it("works in if and limit_except, which keep the handler", async () => {
    const server = `
      location /upload { upload_pass @done; upload_store %STORE%; upload_set_form_field place location;
        if ($arg_if) { upload_set_form_field place if; }
        limit_except POST { deny all; } }
      location /other { return 200 other; if ($arg_if) { upload_pass @done; upload_store %STORE%; } }
      ${done}`;
    await withNginx({ server, keepsFiles: true }, async ({ port, passed }) => {
      await exchange(port, post("/upload", form([file])));
      await exchange(port, post("/upload?if=1", form([file])));
      expect(passed.map((one) => fieldOf(one, "place"))).toEqual(["location", "if"]);
      expect((await exchange(port, head("/upload", { method: "GET", type: null }))).status).toBe(403);
    });
  });
});

describe("module: beside other modules", () => {
  it("asks auth_request first, before the body", async () => {
    const server = `${uploadServer("auth_request /may;")} location = /may { internal; if ($http_x_ok) { return 204; } return 403; }`;
    await withNginx({ server, keepsFiles: true }, async (site) => {
      const refused = head("/upload", { length: 1_000_000, extra: ["Expect: 100-continue"] });
      expect((await exchange(site.port, refused)).status).toBe(403);
      expect(site.files()).toEqual([]);
      expect((await exchange(site.port, post("/upload", form([file]), { extra: ["X-Ok: 1"] }))).status).toBe(200);
    });
  });

  it.each([
    ["a status", "error_page 400 413 415 405 =422 /error;", 422],
    ["the status itself", "error_page 400 413 415 405 /error;", 0],
  ])("serves error pages from a static file with %s", async (_, pages, status) => {
    const server = `${uploadServer(`upload_max_file_size 10; ${pages}`)} location = /error { internal; root %FOLDER%/pages; default_type text/plain; try_files /error.txt =404; }`;
    await withNginx({ server }, async (site) => {
      mkdirSync(join(site.folder, "pages"));
      writeFileSync(join(site.folder, "pages/error.txt"), "a sentence");
      const rows: readonly (readonly [Buffer, number])[] = [
        [post("/upload", form([file]).subarray(0, 100)), 400],
        [post("/upload", form([{ ...file, body: "x".repeat(100_000) }])), 413],
        [post("/upload", form([file]), { type: "text/plain" }), 415],
        [post("/upload", form([file]), { method: "PUT" }), 405],
      ];
      for (const [bytes, own] of rows) {
        expect(await exchange(site.port, bytes)).toMatchObject({ status: status || own, body: "a sentence" });
      }
    });
  });

  it("serves error pages from a proxied target, without the body", async () => {
    const server = `${uploadServer("upload_max_file_size 10; error_page 400 413 415 /error;")}
      location = /error { internal; proxy_pass http://%UPSTREAM%; } `;
    await withNginx({ server, answer: () => ({ body: "proxied" }) }, async (site) => {
      const large = form([{ ...file, body: "x".repeat(300_000) }]);
      const unread = head("/upload", { length: 1_000_000, type: "text/plain", extra: ["Expect: 100-continue"] });
      const chunks = Buffer.concat([head("/upload", { extra: ["Transfer-Encoding: chunked"] }), Buffer.from("20\r\n--XboundaryX\r\nbroken, no colon\r\n")]);
      for (const [bytes, status] of [[post("/upload", large), 413], [unread, 415], [chunks, 400]] as const) {
        expect(await exchange(site.port, bytes)).toMatchObject({ status, body: "proxied" });
      }
      for (const one of site.passed) {
        expect(one).toMatchObject({ method: "GET", url: "/error" });
        expect(one.body).toHaveLength(0);
        expect(one.headers["transfer-encoding"]).toBeUndefined();
      }
    });
  });

  it("serves a named error location, which keeps the method, without the body", async () => {
    const server = `${uploadServer("upload_max_file_size 10; error_page 413 415 @error;")} location @error { proxy_pass http://%UPSTREAM%; }`;
    await withNginx({ server, answer: () => ({ body: "named" }) }, async (site) => {
      for (const bytes of [post("/upload", form([{ ...file, body: "x".repeat(300_000) }])), post("/upload", form([file]), { type: "text/plain" })]) {
        expect((await exchange(site.port, bytes)).body).toBe("named");
      }
      expect(site.passed.map(({ method, body }) => [method, body.length])).toEqual([["POST", 0], ["POST", 0]]);
    });
  });

  it("shows its variables in the log, digests as well", async () => {
    const http = "log_format u '$status $upload_file_number $upload_file_name $upload_file_size $upload_file_crc32 $upload_tmp_path'; access_log %FOLDER%/access.log u;";
    const server = uploadServer("", "") + " location /plain { return 200; access_log %FOLDER%/access.log u; }";
    await withNginx({ server: `access_log %FOLDER%/access.log u; ${server}`, http, keepsFiles: true }, async (site) => {
      await exchange(site.port, request);
      await exchange(site.port, head("/plain", { method: "GET", type: null }));
      const log = (): string => readFileSync(join(site.folder, "access.log"), "utf8");
      await site.until(() => log().split("\n").length === 3, "two lines");
      const sum = crc32(file.body).toString(16).padStart(8, "0");
      expect(log()).toBe(`200 1 a.txt 7 ${sum} ${site.files()[0]}\n200 - - - - -\n`);
    });
  });

  it("shows its variables to the target", async () => {
    const server = `location /upload { upload_pass /done; upload_store %STORE%; }
      location /done { proxy_set_header X-Sum $upload_file_md5; proxy_set_header X-Name $upload_file_name; proxy_pass http://%UPSTREAM%; }`;
    await withNginx({ server, keepsFiles: true }, async ({ port, passed }) => {
      await exchange(port, request);
      expect(passed[0]!.headers).toMatchObject({ "x-sum": "9a0364b9e99bb480dd25e1f0284c8555", "x-name": "a.txt" });
    });
  });

  it("takes a body that mirror has read before, in memory or in a file", async () => {
    const server = `${uploadServer("mirror /copy; client_body_buffer_size 1k;")} location = /copy { internal; proxy_pass http://%UPSTREAM%/copy; }`;
    await withNginx({ server, keepsFiles: true }, async (site) => {
      for (const size of [10, 200_000]) {
        const body = form([{ ...file, body: "m".repeat(size) }]);
        expect((await exchange(site.port, post("/upload", body))).status).toBe(200);
        await site.until(() => site.passed.length === 2, "both requests");
        const copy = site.passed.find(({ url }) => url === "/copy")!;
        expect(copy.body.equals(body)).toBe(true);
        const path = fieldOf(site.passed.find(({ url }) => url === "/upload"), "file.path")!;
        expect(readFileSync(path, "utf8")).toBe("m".repeat(size));
        (site.passed as unknown[]).length = 0;
      }
    });
  });

  it("refuses to be a subrequest's handler", async () => {
    const server = `${uploadServer()} location /page { mirror /upload; return 200; } location /m { mirror /upload; proxy_pass http://%UPSTREAM%; }`;
    await withNginx({ server }, async (site) => {
      expect((await exchange(site.port, post("/m", form([file])))).status).toBe(200);
      await site.until(() => site.log().includes("a subrequest to"), "the refusal");
    });
  });

  it("lets a worker that is to go finish its uploads first", async () => {
    await withNginx(uploadSite(), async (site) => {
      const client = await WireClient.open(site.port);
      const body = form([{ ...file, body: "x".repeat(100_000) }]);
      client.write(head("/upload", { length: body.length }));
      client.write(body.subarray(0, 50_000));
      await site.until(() => site.files().length === 1, "a file");
      process.kill(site.workers()[0]!, "SIGQUIT");
      await site.until(() => site.log().includes("gracefully shutting down"), "the worker to be told");
      client.write(body.subarray(50_000));
      expect((await client.answer()).status).toBe(200);
      expect(readFileSync(site.files()[0]!, "utf8")).toBe("x".repeat(100_000));
    });
  });
});

