import { describe, expect, it } from "vitest";
import { withNginx } from "../helpers/nginx.ts";
import { classicFields, uploadServer, uploadSite } from "../helpers/upload-site.ts";
import { boundary, chunked, exchange, form, head, post, WireClient } from "../helpers/wire.ts";

const file = { disposition: 'name="file"; filename="a.txt"', body: "content" };
const good = form([file]);
const multipart = "multipart/form-data";

/** A part whose header lines are these. */
const lines = (...text: readonly string[]): Buffer =>
  Buffer.from(`--${boundary}\r\n${text.join("\r\n")}\r\n\r\ncontent\r\n--${boundary}--\r\n`, "latin1");
const disposition = (text: string): Buffer => lines(`Content-Disposition: ${text}`);

/** A refused request: what it is, the request, the status. */
type Row = readonly [name: string, request: Buffer, status: number];

const heads: readonly Row[] = [
  ["GET", head("/upload", { method: "GET", type: null }), 405],
  ["PUT with a body", post("/upload", good, { method: "PUT" }), 405],
  ["DELETE", head("/upload", { method: "DELETE", type: null }), 405],
  ["no Content-Type", post("/upload", good, { type: null }), 400],
  ["two Content-Types", post("/upload", good, { extra: [`Content-Type: ${multipart}; boundary=B`] }), 400],
  ["another type", post("/upload", good, { type: "application/json" }), 415],
  ["another multipart type", post("/upload", good, { type: `multipart/mixed; boundary=${boundary}` }), 415],
  ["no boundary", post("/upload", good, { type: multipart }), 400],
  ["an empty boundary", post("/upload", good, { type: `${multipart}; boundary=` }), 400],
  ["an empty quoted boundary", post("/upload", good, { type: `${multipart}; boundary=""` }), 400],
  ["an open quote", post("/upload", good, { type: `${multipart}; boundary="${boundary}` }), 400],
  ["a boundary with a character that is not allowed", post("/upload", good, { type: `${multipart}; boundary=a<b` }), 400],
  ["a boundary that ends with a space", post("/upload", good, { type: `${multipart}; boundary="a "` }), 400],
  ["a boundary of 201 characters", post("/upload", good, { type: `${multipart}; boundary=${"b".repeat(201)}` }), 400],
  ["two boundaries", post("/upload", good, { type: `${multipart}; boundary=${boundary}; boundary=B` }), 400],
  ["a boundary in parts", post("/upload", good, { type: `${multipart}; boundary=${boundary}; boundary*0=B` }), 400],
  ["a boundary hidden in another parameter", post("/upload", good, { type: `${multipart}; x="; boundary=B"; boundary=${boundary}` }), 400],
  ["a boundary that other parsers cut short", post("/upload", form([file], "a,b"), { type: `${multipart}; boundary=a,b` }), 400],
  ["a quoted boundary that other parsers cut short", post("/upload", form([file], "a,b"), { type: `${multipart}; boundary="a,b"` }), 400],
  ["another boundary in a parameter's name", post("/upload", good, { type: `${multipart}; xboundary=B; boundary=${boundary}` }), 400],
  ["another boundary in a parameter's value", post("/upload", good, { type: `${multipart}; boundary=${boundary}; x=boundary=B` }), 400],
  ["another boundary in the boundary", post("/upload", form([file], "aboundary=B"), { type: `${multipart}; boundary=aboundary=B` }), 400],
  ["another boundary behind one in capitals", post("/upload", good, { type: `${multipart}; BOUNDARY=${boundary}; charset=B` }), 400],
];

const bodies: readonly Row[] = [
  ["an empty body", post("/upload", Buffer.alloc(0)), 400],
  ["no body at all", head("/upload"), 400],
  ["no boundary in the body", post("/upload", Buffer.from("nothing of a form")), 400],
  ["another boundary", post("/upload", form([file], "other")), 400],
  ["no final boundary", post("/upload", good.subarray(0, good.length - 4 - boundary.length - 2)), 400],
  ["a final boundary without its last hyphen", post("/upload", good.subarray(0, good.length - 3)), 400],
  ["a body that ends in a part's headers", post("/upload", good.subarray(0, 40)), 400],
  ["a boundary followed by other text", post("/upload", Buffer.from(good.toString("latin1").replace(`--${boundary}--`, `--${boundary}x`), "latin1")), 400],
  ["a boundary followed by a space", post("/upload", Buffer.from(good.toString("latin1").replace(`--${boundary}\r\n`, `--${boundary} \r\n`), "latin1")), 400],
  ["no Content-Disposition", post("/upload", lines("Content-Type: text/plain")), 400],
  ["no header at all", post("/upload", Buffer.from(`--${boundary}\r\n\r\ncontent\r\n--${boundary}--`)), 400],
  ["two Content-Dispositions", post("/upload", lines('Content-Disposition: form-data; name="a"', 'Content-Disposition: form-data; name="b"')), 400],
  ["two Content-Types of a part", post("/upload", lines('Content-Disposition: form-data; name="a"', "Content-Type: a/b", "Content-Type: a/c")), 400],
  ["a disposition that is not form-data", post("/upload", disposition('attachment; name="a"; filename="b"')), 400],
  ["no name", post("/upload", disposition('form-data; filename="b"')), 400],
  ["two names", post("/upload", disposition('form-data; name="a"; name="b"')), 400],
  ["two file names", post("/upload", disposition('form-data; name="a"; filename="b"; filename="c"')), 400],
  ["an open quote in a name", post("/upload", disposition('form-data; name="a')), 400],
  ["text after a quoted name", post("/upload", disposition('form-data; name="a"b; filename="c"')), 400],
  ["a parameter without a value", post("/upload", disposition('form-data; name="a"; filename')), 400],
  ["a header without a colon", post("/upload", lines('Content-Disposition form-data; name="a"')), 400],
  ["a folded header", post("/upload", lines("Content-Disposition: form-data;", ' name="a"')), 400],
  ["a space before a colon", post("/upload", lines('Content-Disposition : form-data; name="a"')), 400],
  ["a bare LF in a header", post("/upload", lines('Content-Disposition: form-data; name="a"\nX: y')), 400],
  ["a bare CR in a header", post("/upload", lines('Content-Disposition: form-data; name="a"\rX: y')), 400],
  ["a header line of 513 bytes", post("/upload", lines('Content-Disposition: form-data; name="a"', `X: ${"x".repeat(510)}`)), 400],
  ["65 header lines", post("/upload", lines('Content-Disposition: form-data; name="a"', ...Array.from({ length: 64 }, (_, i) => `X${i}: y`))), 400],
  ["a broken chunk", Buffer.concat([head("/upload", { extra: ["Transfer-Encoding: chunked"] }), Buffer.from("5\r\nab\r\nzz\r\n")]), 400],
];

const large: readonly Row[] = [
  ["a file over the limit", post("/upload", form([{ ...file, body: "x".repeat(101) }])), 413],
  ["the second file over the limit", post("/upload", form([file, { ...file, body: "x".repeat(101) }])), 413],
  ["a passed field over the limit", post("/upload", form([{ disposition: 'name="note"', body: "x".repeat(1200) }])), 413],
  ["fields of files over the limit", post("/upload", form([file, file, file, file, file])), 413],
  ["more than 10000 parts", post("/upload", form(Array.from({ length: 10_001 }, () => ({ disposition: 'name="x"', body: "" })))), 413],
];

/** An ordinary field that passes. */
const note = (body: string): { disposition: string; body: string } => ({ disposition: 'name="note"', body });

/** What targets that find a boundary in it take for a field of its own. */
const forged = 'Content-Disposition: form-data; name="file.path"\r\n\r\n/etc/passwd';

const spoofs: readonly Row[] = [
  ["file.path before the file", post("/upload", form([{ disposition: 'name="file.path"', body: "/etc/passwd" }, file])), 400],
  ["file.path after the file", post("/upload", form([file, { disposition: 'name="file.path"', body: "/etc/passwd" }])), 400],
  ["file.size, an aggregate", post("/upload", form([{ disposition: 'name="file.size"', body: "1" }, file])), 400],
  ["file.path[] that some targets take for file.path", post("/upload", form([{ disposition: 'name="file.path[]"', body: "x" }, file])), 400],
  ["file.path with spaces that some targets strip", post("/upload", form([{ disposition: 'name=" file.path "', body: "x" }, file])), 400],
  ["file.path in brackets that some targets leave out", post("/upload", form([{ disposition: 'name="[file.path"', body: "x" }, file])), 400],
  ["file.path with spaces of Unicode", post("/upload", form([{ disposition: Buffer.from('name="\u00a0\u3000file.path\u2003 \u0085"'), body: "x" }, file])), 400],
  ["file.path in the name of a file input", post("/upload", form([file, { disposition: 'name="file.path"', body: "x" }, file])), 400],
  ["a file named as the boundary", post("/upload", form([{ disposition: `name="file"; filename="--${boundary}--"`, body: "x" }])), 400],
  ["a file named with the boundary", post("/upload", form([{ disposition: `name="file"; filename="a--${boundary}"`, body: "x" }])), 400],
  ["a field named with the boundary", post("/upload", form([file, { disposition: `name="note--${boundary}"`, body: "x" }])), 400],
  ["a field of a field, behind a bare LF", post("/upload", form([file, note(`x\n--${boundary}\n${forged}`)])), 400],
  ["a field of a field, in the middle of a line", post("/upload", form([file, note(`x--${boundary}\r\n${forged}`)])), 400],
  ["a field of a field, in chunks of one byte", Buffer.concat([head("/upload", { extra: ["Transfer-Encoding: chunked"] }), chunked(form([file, note(`x--${boundary}\r\n${forged}`)]), 1)]), 400],
];

const site = uploadSite(`upload_pass_form_field "^note"; upload_max_file_size 100; upload_max_output_body_len 1200;`, { keepsFiles: false });

describe.each([
  ["request", heads],
  ["body", bodies],
  ["size", large],
  ["forged field", spoofs],
])("module: a wrong %s is refused, leaves nothing and calls nobody", (_, rows) => {
  it.each(rows)("%s", async (_name, request, status) => {
    await withNginx(site, async (nginx) => {
      expect((await exchange(nginx.port, request)).status).toBe(status);
      expect(nginx.files()).toEqual([]);
      expect(nginx.passed).toEqual([]);
    });
  });
});

describe("module: other answers", () => {
  it("answers OPTIONS with 200 and what is allowed", async () => {
    await withNginx(site, async ({ port }) => {
      const client = await WireClient.open(port);
      for (const request of [head("/upload", { method: "OPTIONS", type: null }), post("/upload", good, { method: "OPTIONS" })]) {
        client.write(request);
        expect(await client.answer()).toMatchObject({ status: 200, headers: { allow: "OPTIONS, POST", "content-length": "0" } });
      }
      client.destroy();
    });
  });

  it("takes exactly the sizes allowed", async () => {
    const options = uploadSite("upload_max_file_size 100; upload_max_part_header_len 60;");
    await withNginx(options, async ({ port }) => {
      const whole = form([{ disposition: 'name="a"; filename="b"', type: "x".repeat(60 - "Content-Type: ".length), body: "x".repeat(100) }]);
      expect((await exchange(port, post("/upload", whole))).status).toBe(200);
    });
  });

  it("does not ask for the body before it refuses", async () => {
    await withNginx(site, async ({ port }) => {
      const request = head("/upload", { length: 1_000_000, type: "text/plain", extra: ["Expect: 100-continue"] });
      expect((await exchange(port, request)).status).toBe(415);
    });
  });

  it("lets a client that goes on sending read the refusal", async () => {
    await withNginx(site, async ({ port }) => {
      const client = await WireClient.open(port);
      const whole = form([{ ...file, body: Buffer.alloc(8_000_000, 120) }]);
      client.write(head("/upload", { length: whole.length }));
      for (let i = 0; i < whole.length; i += 100_000) client.write(whole.subarray(i, i + 100_000));
      expect((await client.answer()).status).toBe(413);
      await client.closed();
    });
  });

  it("logs 499 for a client that is gone and 408 for one that is silent", async () => {
    const log = { http: 'log_format s "status $status"; access_log %FOLDER%/access.log s;' };
    const { server } = uploadSite("client_body_timeout 1s;");
    await withNginx({ server: server + "\naccess_log %FOLDER%/access.log s;", http: log.http.split(";")[0] + ";" }, async (nginx) => {
      const request = head("/upload", { length: 1_000_000 });
      const begun = Buffer.concat([request, form([{ ...file, body: "x".repeat(5000) }]).subarray(0, 4000)]);
      const gone = await WireClient.open(nginx.port);
      gone.write(begun);
      await nginx.until(() => nginx.files().length === 1, "a file");
      gone.destroy();
      await nginx.until(() => nginx.files().length === 0, "the file to go");
      const reset = await WireClient.open(nginx.port);
      reset.write(begun);
      await nginx.until(() => nginx.files().length === 1, "a file");
      reset.reset();
      await nginx.until(() => nginx.files().length === 0, "the file to go");
      const silent = await WireClient.open(nginx.port);
      silent.write(begun);
      await silent.closed();
      const { readFileSync } = await import("node:fs");
      await nginx.until(() => readFileSync(`${nginx.folder}/access.log`, "utf8").split("\n").length === 4, "three lines in the log");
      expect(readFileSync(`${nginx.folder}/access.log`, "utf8")).toBe("status 499\nstatus 499\nstatus 408\n");
      expect(nginx.passed).toEqual([]);
    });
  });

  it("refuses a chunked body over client_max_body_size", async () => {
    const server = uploadServer("client_max_body_size 1000;", classicFields);
    await withNginx({ server }, async ({ port }) => {
      const whole = chunked(form([{ ...file, body: "x".repeat(5000) }]), 500);
      expect((await exchange(port, head("/upload", { extra: ["Transfer-Encoding: chunked"] }), whole)).status).toBe(413);
    });
  });
});
