import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Answer, form, type Form, json, type Part, post, randomFile, send, type UploadAnswer, until, wire } from "../helpers/e2e-client.ts";
import { sha256 } from "../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";

const MiB = 1024 * 1024;
const reason = withoutLocal();

interface ErrorAnswer {
  readonly error: { readonly code: string; readonly status: number; readonly message: string; readonly hint: string };
}

/** Every error a program gets: the status twice, a code, and two sentences for a person. */
function expectError(answer: Pick<Answer, "status" | "text">, status: number, code: string): void {
  expect({ status: answer.status, text: answer.text.slice(0, 500) }).toMatchObject({ status });
  const { error } = JSON.parse(answer.text) as ErrorAnswer;
  expect(error).toMatchObject({ code, status });
  expect(error.message).toMatch(/^[A-Z].+\.$/);
  expect(error.hint).toMatch(/^[A-Z].+\.$/);
}

describe.skipIf(reason !== undefined)(`bad input to a whole site${reason === undefined ? "" : `: skipped, ${reason}`}`, () => {
  let site: LocalTestSite;
  beforeAll(async () => {
    site = await startTestSite({ upload: { maxFileSize: "1m", maxBodySize: "4m", bodyTimeout: "2s" } });
  });
  afterAll(() => site?.stop());

  afterEach(() => site?.clear());
  const file = randomFile("data.bin", 5000);

  describe("is refused, with nothing left behind", () => {
    const part = 'Content-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nsome text';
    type Request = (accept: string) => Promise<Answer>;
    const parts = (...list: readonly Part[]): Request => (accept) => post(site, list, { accept });
    const body = (text: string, type: string | undefined = "multipart/form-data; boundary=b"): Request => (accept) =>
      send(site, "/upload", { method: "POST", body: Buffer.from(text), headers: { accept, ...(type === "" ? {} : { "content-type": type }) } });
    const method = (name: string, path = "/upload"): Request => (accept) => send(site, path, { method: name, headers: { accept } });

    const rows: readonly { what: string; status: number; code: string; request: Request }[] = [
      { what: "a form without a file part", status: 400, code: "no_file", request: parts({ name: "description", content: "x" }) },
      { what: "a browser's form in which no file was chosen", status: 400, code: "no_file", request: parts({ name: "file", filename: "", type: "application/octet-stream", content: "" }) },
      { what: "a form without a boundary in its type", status: 400, code: "bad_request", request: body(`--b\r\n${part}\r\n--b--\r\n`, "multipart/form-data") },
      { what: "an empty boundary", status: 400, code: "bad_request", request: body(`--\r\n${part}\r\n----\r\n`, "multipart/form-data; boundary=") },
      { what: "a body without its final boundary", status: 400, code: "bad_request", request: body(`--b\r\n${part}`) },
      { what: "a body cut in the header of a part", status: 400, code: "bad_request", request: body(`--b\r\n${part}\r\n--b\r\nContent-Dispo`) },
      { what: "a second file that is cut", status: 400, code: "bad_request", request: body(`--b\r\n${part}\r\n--b\r\n${part}`) },
      { what: "a body that is no form at all", status: 400, code: "bad_request", request: body("just some text") },
      { what: "an empty body", status: 400, code: "bad_request", request: body("") },
      { what: "a file over the limit", status: 413, code: "too_large", request: parts(randomFile("big.bin", MiB + 1)) },
      { what: "a small file followed by one over the limit", status: 413, code: "too_large", request: parts(file, randomFile("big.bin", MiB + 1)) },
      { what: "a body over the limit", status: 413, code: "too_large", request: parts(...Array.from({ length: 5 }, (_, i) => randomFile(`${i}.bin`, MiB - 1000))) },
      { what: "GET", status: 405, code: "method_not_allowed", request: method("GET") },
      { what: "PUT", status: 405, code: "method_not_allowed", request: method("PUT") },
      { what: "DELETE", status: 405, code: "method_not_allowed", request: method("DELETE") },
      { what: "a raw body", status: 415, code: "unsupported_type", request: body("bytes", "application/octet-stream") },
      { what: "a JSON body", status: 415, code: "unsupported_type", request: body("{}", "application/json") },
      { what: "no type at all", status: 400, code: "bad_request", request: body("x", "") },
      { what: "a client's own file.path, before its file", status: 400, code: "bad_request", request: parts({ name: "file.path", content: "/etc/passwd" }, file) },
      { what: "a client's own file.path, after its file", status: 400, code: "bad_request", request: parts(file, { name: "file.path", content: "/etc/passwd" }) },
      { what: "a client's own file.size", status: 400, code: "bad_request", request: parts(file, { name: "file.size", content: "1" }) },
      { what: "a client's own fields in place of a file", status: 400, code: "no_file", request: parts({ name: "f.name", content: "x" }, { name: "f.path", content: "/etc/passwd" }, { name: "f.size", content: "1" }, { name: "f.sha256", content: sha256("") }) },
      { what: "the completion address from outside", status: 404, code: "not_found", request: method("POST", "/internal/complete") },
      { what: "the internal address of files from outside", status: 404, code: "not_found", request: method("GET", "/_files/x") },
    ];

    it.each(rows)("$what -> $status $code", async ({ status, code, request }) => {
      expectError(await request("application/json"), status, code);
      await site.expectNothingKept();
    });

    it.each(rows)("$what, from a browser: a page with the same sentences", async ({ status, request }) => {
      const { error } = json<ErrorAnswer>(await request("*/*"));
      const page = await request("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
      expect(page.status).toBe(status);
      expect(page.headers["content-type"]).toMatch(/^text\/html/);
      for (const sentence of [error.message, error.hint]) expect(page.text).toContain(sentence.split(/[<>&"']/)[0]);
    });
  });

  describe("file names", () => {
    const rows: readonly { what: string; sent: string | Buffer; stored: string | RegExp }[] = [
      { what: "a path upwards", sent: "../../etc/passwd", stored: "passwd" },
      { what: "an absolute path", sent: "/etc/shadow", stored: "shadow" },
      { what: "a DOS path", sent: "C:\\\\Users\\\\me\\\\report.doc", stored: "report.doc" },
      { what: "only dots", sent: "..", stored: "%2E%2E" },
      { what: "a leading dot", sent: ".htaccess", stored: "htaccess" },
      { what: "a NUL", sent: Buffer.from("a\0b.txt"), stored: "a%00b.txt" },
      { what: "control characters", sent: Buffer.from("a\x01\x7fb.txt"), stored: "a%01%7Fb.txt" },
      { what: "escaped quotes", sent: 'the \\"final\\" one.txt', stored: 'the "final" one.txt' },
      { what: "quotes as browsers escape them", sent: "the %22final%22 one.txt", stored: /^the ("|%22)final("|%22) one\.txt$/ },
      { what: "a semicolon", sent: "a; filename=b.txt", stored: "a; filename=b.txt" },
      { what: "300 bytes", sent: `${"x".repeat(296)}.bin`, stored: `${"x".repeat(251)}.bin` },
      { what: "300 bytes of emoji", sent: `${"🦭".repeat(74)}.bin`, stored: `${"🦭".repeat(62)}.bin` },
      { what: "right to left", sent: "תמונה של ים.jpg", stored: "תמונה של ים.jpg" },
      { what: "a bidirectional override that hides the extension", sent: "photo\u202egpj.exe", stored: "photogpj.exe" },
      { what: "emoji with joiners", sent: "👩‍👩‍👧 holiday.zip", stored: "👩‍👩‍👧 holiday.zip" },
      { what: "what a shell, HTML and a template would run", sent: "$(id)`id`<script>alert(1)</script>${x}{{x}}.txt", stored: "script>${x}{{x}}.txt" },
      { what: "bytes that are not UTF-8", sent: Buffer.from([0x66, 0xff, 0xfe, 0x2e, 0x62]), stored: /^f.{1,2}\.b$/u },
    ];

    it.each(rows)("$what is stored under a safe name", async ({ sent, stored }) => {
      const content = Buffer.from(`content of ${String(sent)}`);
      const answer = await post(site, [{ name: "file", filename: sent, type: "text/plain", content }]);
      expect(answer.status, answer.text).toBe(200);
      const { id, name, checksums } = json<UploadAnswer>(answer);
      if (typeof stored === "string") expect(name).toBe(stored);
      else expect(name).toMatch(stored);
      expect(checksums["sha256"]).toBe(sha256(content));

      const { files, incoming } = site.kept();
      expect(incoming).toEqual([]);
      expect(files).toEqual([expect.stringMatching(new RegExp(`^\\d{4}-\\d{2}-\\d{2}/${id}/[^/]+$`))]);
      expect(files[0]?.split("/")[2]).toBe(name);

      const download = await send(site, `/files/${id}`);
      expect(download.status).toBe(200);
      expect(download.body).toEqual(content);
      expect(download.headers["content-disposition"]).toMatch(/^attachment; filename="[^"\r\n]*"(; filename\*=UTF-8''[\w.%!#$&+^`|~-]+)?$/);
      const list = await send(site, "/list", { headers: { accept: "text/html" } });
      expect(list.text).not.toContain("<script>alert");
    });
  });

  it("takes an empty file that has a name", async () => {
    const answer = await post(site, [{ name: "file", filename: "empty.txt", content: "" }]);
    expect(answer.status, answer.text).toBe(200);
    expect(json<UploadAnswer>(answer)).toMatchObject({ name: "empty.txt", size: 0, checksums: { sha256: sha256("") } });
  });

  it("keeps every file of a form with two, and the form's text", async () => {
    const [one, two] = [randomFile("one.bin", 70_000), randomFile("two.bin", 3)];
    const answer = await post(site, [one, { name: "description", content: "two <b>files</b>" }, two]);
    const { uploads, description } = json<UploadAnswer>(answer);
    expect(description).toBe("two <b>files</b>");
    expect(uploads.map(({ name, checksums }) => [name, checksums["sha256"]])).toEqual([["one.bin", sha256(one.content)], ["two.bin", sha256(two.content)]]);
  });

  describe("a client that goes away or stalls", () => {
    const head = (length: number, boundary: string): string =>
      `POST /upload HTTP/1.1\r\nHost: ${new URL(site.url).host}\r\nAccept: application/json\r\nContent-Type: multipart/form-data; boundary=${boundary}\r\nContent-Length: ${length}\r\n\r\n`;

    const forms = form([randomFile("gone.bin", 600_000)]);
    it.each([
      ["only the header", 0],
      ["half of the file", 300_000],
      ["all but the last byte", forms.body.length - 1],
    ])("leaves nothing when it goes after %s", async (_when, sent) => {
      const connection = await wire(site);
      connection.write(head(forms.body.length, forms.boundary));
      connection.write(forms.body.subarray(0, sent));
      if (sent > 0) await until("the file has begun", () => site.kept().incoming.length > 0);
      connection.destroy();
      await site.expectNothingKept();
    });

    it("is cut off when it stalls, and leaves nothing", async () => {
      const connection = await wire(site);
      connection.write(head(forms.body.length, forms.boundary));
      connection.write(forms.body.subarray(0, 300_000));
      // nginx ends a request that timed out without an answer; it says 408 in its log alone.
      await expect(connection.answer()).rejects.toThrow("the connection was closed");
      await site.expectNothingKept();
    });

    it("can send another upload on the connection on which one was refused", async () => {
      const connection = await wire(site);
      const post = async ({ body, boundary }: Form): Promise<number> => {
        connection.write(head(body.length, boundary));
        connection.write(body);
        return (await connection.answer()).status;
      };
      expect(await post(form([{ name: "description", content: "no file" }]))).toBe(400);
      expect(await post(form([randomFile("next.bin", 2000)]))).toBe(200);
      connection.destroy();
    });
  });
});
