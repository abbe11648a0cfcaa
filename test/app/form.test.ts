/** Forms that are not what nginx passes on. */
import { request } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { complete, fieldsOf, formBody, newRequestId, secret, startTestService, type TestService, writeIncoming } from "../helpers/service.ts";

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.remove());

const multipart = "multipart/form-data; boundary=B";
const good = formBody([["submit", "x"]], "B").body;

interface Row {
  readonly what: string;
  readonly type: string;
  readonly body: string;
  readonly expected: readonly [status: number, code: string];
}

const rows: readonly Row[] = [
  { what: "no form at all", type: "application/json", body: "{}", expected: [415, "unsupported_type"] },
  { what: "an urlencoded form", type: "application/x-www-form-urlencoded", body: "file.path=/etc/passwd", expected: [415, "unsupported_type"] },
  { what: "a type that only begins alike", type: "multipart/form-database; boundary=B", body: good, expected: [415, "unsupported_type"] },
  { what: "no boundary", type: "multipart/form-data", body: good, expected: [400, "bad_form"] },
  { what: "an empty boundary", type: "multipart/form-data; boundary=", body: good, expected: [400, "bad_form"] },
  { what: "another boundary", type: "multipart/form-data; boundary=C", body: good, expected: [400, "bad_form"] },
  { what: "no end", type: multipart, body: good.replace("--B--\r\n", ""), expected: [400, "bad_form"] },
  { what: "an end in the middle of a header", type: multipart, body: '--B\r\nContent-Disposition: form-data; na', expected: [400, "bad_form"] },
  { what: "nothing", type: multipart, body: "", expected: [400, "bad_form"] },
  { what: "no fields", type: multipart, body: "--B--\r\n", expected: [400, "no_file"] },
  {
    what: "a file that came past the upload module",
    type: multipart,
    body: '--B\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nhello\r\n--B--\r\n',
    expected: [400, "bad_form"],
  },
  { what: "a description of 100 kB", type: multipart, body: formBody([["description", "x".repeat(100_000)]], "B").body, expected: [413, "form_too_large"] },
  { what: "more than a megabyte", type: multipart, body: formBody([["description", "x".repeat(1_100_000)]], "B").body, expected: [413, "form_too_large"] },
  {
    what: "too many fields",
    type: multipart,
    body: formBody(Array.from({ length: 2100 }, (): [string, string] => ["a", "b"]), "B").body,
    expected: [413, "form_too_large"],
  },
];

it.each(rows)("$what: $expected", async ({ type, body, expected }) => {
  const response = await service.ask("/internal/complete", { method: "POST", body, headers: { "Content-Type": type } });
  expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual(expected);
});

it("bounds a form that does not say how long it is", async () => {
  const answer = await new Promise<number | undefined>((resolve, reject) => {
    const sending = request(`${service.url}/internal/complete`, {
      method: "POST",
      headers: { "Content-Type": multipart, "X-Slipway-Secret": secret, "X-Request-ID": newRequestId(), "Transfer-Encoding": "chunked" },
    });
    sending.on("response", (response) => {
      resolve(response.statusCode);
      sending.destroy();
    });
    sending.on("error", reject);
    for (let i = 0; i < 40; i += 1) sending.write(formBody([["submit", "y".repeat(60_000)]], "B").body.replace("--B--\r\n", ""));
    sending.end();
  });
  expect(answer).toBe(413);
});

it("goes on after a client that went away in the middle", async () => {
  await new Promise<void>((resolve) => {
    const sending = request(`${service.url}/internal/complete`, {
      method: "POST",
      headers: { "Content-Type": multipart, "X-Slipway-Secret": secret, "X-Request-ID": newRequestId(), "Content-Length": 5000 },
    });
    sending.on("error", () => resolve());
    sending.write("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nhal", () => sending.destroy(new Error("gone")));
  });
  expect((await complete(service, fieldsOf(writeIncoming(service.folder, "x"), "x"))).status).toBe(200);
});
