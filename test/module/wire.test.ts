import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withNginx } from "../helpers/nginx.ts";
import { fieldOf, fieldsOf, uploadServer, uploadSite } from "../helpers/upload-site.ts";
import { boundary, chunked, exchange, form, head, post, rewritten, WireClient } from "../helpers/wire.ts";

/** Content that looks like the boundary as long as it can. */
const tricky = `\r\n--${boundary.slice(0, -1)}\r\n\r\n-\r--${boundary}\n--${boundary}\r\r\n--X\r`;

const parts = [
  { disposition: 'name="description"', body: "a text" },
  { disposition: 'name="file"; filename="a.txt"', type: "text/plain", body: tricky },
  { disposition: 'name="other"', body: "not passed" },
  { disposition: 'name="file2"; filename="b.bin"', body: "" },
];
const body = form(parts);
const passField = 'upload_pass_form_field "^description$";';

const expected = (first: string, second: string): string =>
  rewritten([
    ["description", "a text"],
    ["file.name", "a.txt"],
    ["file.content_type", "text/plain"],
    ["file.path", first],
    ["file.size", `${tricky.length}`],
    ["file2.name", "b.bin"],
    ["file2.content_type", "application/octet-stream"],
    ["file2.path", second],
    ["file2.size", "0"],
  ]);

describe("module: HTTP/1.1 on the wire", () => {
  it("passes on exactly the rewritten body, with its length and the client's Content-Type", async () => {
    await withNginx(uploadSite(passField), async (site) => {
      const answer = await exchange(site.port, post("/upload?a=b", body));
      expect(answer).toMatchObject({ status: 200, body: "done" });
      const [first = "", second = ""] = site.files();
      const passed = site.passed[0]!;
      expect(passed.body.toString("latin1")).toBe(expected(first, second));
      expect(readFileSync(first, "latin1")).toBe(tricky);
      expect(readFileSync(second, "latin1")).toBe("");
      expect(passed).toMatchObject({ method: "POST", url: "/upload?a=b" });
      expect(passed.headers["content-type"]).toBe(`multipart/form-data; boundary=${boundary}`);
      expect(passed.headers["content-length"]).toBe(`${passed.body.length}`);
    });
  });

  it("finds the same parts wherever the input is cut", async () => {
    const sizes = Array.from({ length: 70 }, (_, i) => i + 1);
    const server = sizes.map((size) => uploadServer(`${passField} client_body_buffer_size ${size};`).replace("/upload", `/u${size}`).replace(/location @done[^]*/, ""));
    const target = "location @done { proxy_pass http://%UPSTREAM%; }";
    await withNginx({ server: server.join("\n") + target, keepsFiles: true }, async (site) => {
      for (const size of sizes) {
        const client = await WireClient.open(site.port);
        client.write(head(`/u${size}`, { length: body.length, extra: ["Expect: 100-continue"] }));
        expect((await client.answer()).status).toBe(100);
        client.write(body);
        expect((await client.answer()).status, `buffer of ${size}`).toBe(200);
        client.destroy();
        const passed = site.passed.at(-1);
        const [first = "", second = ""] = [fieldOf(passed, "file.path"), fieldOf(passed, "file2.path")];
        expect(passed!.body.toString("latin1"), `buffer of ${size}`).toBe(expected(first, second));
        expect(readFileSync(first, "latin1"), `buffer of ${size}`).toBe(tricky);
      }
    });
  });

  it.each([1, 2, 3, 7, 64, 129, 1000])("takes chunks of %i bytes and passes on a length instead", async (size) => {
    await withNginx(uploadSite(passField), async (site) => {
      const request = [head("/upload", { extra: ["Transfer-Encoding: chunked", "X-After: kept"] }), chunked(body, size)];
      expect((await exchange(site.port, ...request)).status).toBe(200);
      const [first = "", second = ""] = site.files();
      const passed = site.passed[0]!;
      expect(passed.body.toString("latin1")).toBe(expected(first, second));
      expect(passed.headers["content-length"]).toBe(`${passed.body.length}`);
      expect(passed.headers["transfer-encoding"]).toBeUndefined();
      expect(passed.headers["x-after"]).toBe("kept");
      expect(passed.rawHeaders.filter((name) => name.toLowerCase() === "content-length")).toHaveLength(1);
    });
  });

  it("shows the rewritten length and no Transfer-Encoding to targets that read them as variables", async () => {
    const server = `
      location /upload { upload_pass /done; upload_store %STORE%; }
      location /done { return 200 "$content_length|$http_content_length|$http_transfer_encoding|$request_body"; }`;
    await withNginx({ server }, async (site) => {
      const answer = await exchange(site.port, head("/upload", { extra: ["Transfer-Encoding: chunked"] }), chunked(form([]), 5));
      const empty = rewritten([]);
      expect(answer.body).toBe(`${empty.length}|${empty.length}||${empty}`);
    });
  });

  it("keeps the connection for requests that follow, also pipelined ones", async () => {
    await withNginx(uploadSite(), async (site) => {
      const one = post("/upload", form([{ disposition: 'name="a"; filename="a"', body: "first" }]));
      const two = Buffer.concat([head("/upload", { extra: ["Transfer-Encoding: chunked"] }), chunked(form([{ disposition: 'name="a"; filename="a"', body: "second" }]), 9)]);
      const client = await WireClient.open(site.port);
      client.write(Buffer.concat([one, two, one]));
      for (let i = 0; i < 3; i++) expect((await client.answer()).status).toBe(200);
      client.write(two);
      expect((await client.answer()).status).toBe(200);
      client.destroy();
      expect(site.files().map((file) => readFileSync(file, "utf8")).sort()).toEqual(["first", "first", "second", "second"]);
    });
  });

  it("never writes bytes after the final boundary, nor takes them for a request", async () => {
    await withNginx(uploadSite(), async (site) => {
      const epilogue = Buffer.from("GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
      const whole = Buffer.concat([form([{ disposition: 'name="a"; filename="a"', body: "content" }]), epilogue]);
      const client = await WireClient.open(site.port);
      client.write(post("/upload", whole));
      client.write(post("/upload", form([])));
      expect((await client.answer()).status).toBe(200);
      expect((await client.answer()).status).toBe(200);
      client.destroy();
      expect(site.passed).toHaveLength(2);
      expect(site.files().map((file) => readFileSync(file, "utf8"))).toEqual(["content"]);
    });
  });

  it.each([
    ["*****", "*****"],
    ["a!#$%&'*+-.^_`{|}~b", "a!#$%&'*+-.^_`{|}~b"],
    ['"a b"', "a b"],
    ['"=_:x/y(z)?"; charset="utf-8"', "=_:x/y(z)?"],
    ['"boundary_.oOo._MjM=NQ=="', "boundary_.oOo._MjM=NQ=="],
    ["----WebKitFormBoundary7MA4YWxkTrZu0gW;charset=utf-8", "----WebKitFormBoundary7MA4YWxkTrZu0gW"],
  ])("takes a boundary that clients send: %s", async (parameter, mark) => {
    await withNginx(uploadSite(), async (site) => {
      const type = `multipart/form-data; boundary=${parameter}`;
      const request = post("/upload", form([{ disposition: 'name="a"; filename="a"', body: tricky }], mark), { type });
      expect((await exchange(site.port, request)).status).toBe(200);
      expect(readFileSync(site.files()[0]!, "latin1")).toBe(tricky);
      expect(site.passed[0]!.body.toString("latin1")).toMatch(`--${mark}--\r\n`);
      expect(site.passed[0]!.headers["content-type"]).toBe(type);
    });
  });

  it("skips a preamble and takes a part without a body", async () => {
    await withNginx(uploadSite('upload_pass_form_field "";'), async (site) => {
      const text = `a preamble\r\n--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n--${boundary}--`;
      expect((await exchange(site.port, post("/upload", Buffer.from(text)))).status).toBe(200);
      expect(fieldsOf(site.passed[0])).toEqual([["a", ""]]);
    });
  });

  it("writes a file of many buffers whole", async () => {
    const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) & 0xff));
    for (const size of ["1", "100", "4k", "64k", "1m"]) {
      await withNginx(uploadSite(`upload_buffer_size ${size};`), async (site) => {
        const whole = form([{ disposition: 'name="a"; filename="a"', body: content }]);
        expect((await exchange(site.port, post("/upload", whole))).status).toBe(200);
        expect(readFileSync(site.files()[0]!).equals(content), size).toBe(true);
      });
    }
  });
});
