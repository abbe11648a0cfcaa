import { get, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { complete, fieldsOf, secret, sha256, startTestService, type TestService, writeIncoming } from "../helpers/service.ts";

const browser = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
let service: TestService;

beforeAll(async () => {
  service = await startTestService({ config: { siteName: "Site & Co" } });
});

afterAll(() => service.remove());

it("shows the page to upload from", async () => {
  const response = await service.ask("/", { headers: { ...browser, "X-Slipway-Upload-Path": "/in/box", "X-Slipway-Max-File-Size": "5000" } });
  expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "text/html; charset=utf-8"]);
  const html = await response.text();
  expect(html).toContain("Site &amp; Co");
  expect(html).toContain('action="/in/box"');
});

it("lets a page load what the site serves, and be framed nowhere", async () => {
  for (const path of ["/", "/list", "/none"]) {
    const { headers } = await service.ask(path, { headers: browser });
    const policy = headers.get("Content-Security-Policy") ?? "";
    expect(policy).toMatch(/^default-src 'none';/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect([headers.get("X-Content-Type-Options"), headers.get("Referrer-Policy")]).toEqual(["nosniff", "no-referrer"]);
  }
});

it("serves everything that its pages ask for", async () => {
  for (const path of ["/", "/list", "/none"]) {
    const html = await (await service.ask(path, { headers: browser })).text();
    const paths = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1] ?? "");
    expect(paths.length).toBeGreaterThan(0);
    for (const asset of paths) expect([asset, (await service.ask(asset)).status]).toEqual([asset, 200]);
  }
});

it("answers 304 to a browser that has the asset", async () => {
  const first = await service.ask("/assets/upload.js");
  expect(first.headers.get("Content-Type")).toMatch(/javascript/);
  const again = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { "X-Slipway-Secret": secret, "If-None-Match": first.headers.get("ETag") ?? "" };
    // Not fetch: it adds the "no-cache" of a forced reload.
    get(`${service.url}/assets/upload.js`, { headers }, resolve).on("error", reject);
  });
  again.resume();
  expect([again.statusCode, again.headers["content-length"]]).toEqual([304, undefined]);
});

it("answers 304 to a list that has not changed, whatever else a script's request says", async () => {
  const first = await service.ask("/list?sort=name", { headers: browser });
  const tag = first.headers.get("ETag") ?? "";
  expect(tag).toMatch(/^W\/"[\w-]{27}"$/);
  const same = { headers: { ...browser, "If-None-Match": tag, "Cache-Control": "no-cache" } };
  expect((await service.ask("/list?sort=name", same)).status).toBe(304);
  expect((await service.ask("/list?sort=-name", same)).status).toBe(200);
  await complete(service, fieldsOf(writeIncoming(service.folder, "1"), "changed.txt"));
  expect((await service.ask("/list?sort=name", same)).status).toBe(200);
});

describe("a completed upload", () => {
  it("sends a browser to the list, which points the new ones out", async () => {
    const fields = [...fieldsOf(writeIncoming(service.folder, "1"), "<b>one.txt"), ...fieldsOf(writeIncoming(service.folder, "2"), "two.txt")];
    const response = await complete(service, fields, browser);
    expect([response.status, response.headers.get("Location")]).toEqual([303, expect.stringMatching(/^\/list\?new=[0-9A-Z]{26},[0-9A-Z]{26}$/)]);
    const html = await (await service.ask(response.headers.get("Location") ?? "", { headers: browser })).text();
    expect(html).toContain("&lt;b&gt;one");
    expect(html).not.toContain("<b>one");
    expect(html).toContain("two.txt");
  });

  it("answers an older command-line client in JSON, whatever it accepts", async () => {
    const response = await complete(service, [...fieldsOf(writeIncoming(service.folder, "1"), "t"), ["terminal", "yes"]], browser);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ message: "Upload Complete", name: "t", size: 1 });
  });

  it("shows a browser an error as a page", async () => {
    const response = await complete(service, [["submit", "Upload"]], browser);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("The form holds no file.");
  });
});

describe("a download", () => {
  async function upload(name: string, contentType = "text/html"): Promise<string> {
    const file = writeIncoming(service.folder, name);
    const fields = fieldsOf(file, name).map(([key, value]): [string, string] => [key, key === "file.content_type" ? contentType : value]);
    return ((await (await complete(service, fields)).json()) as { id: string }).id;
  }

  it("is handed to nginx, as an attachment that can do nothing in the site's name", async () => {
    const id = await upload("a b#?%é.html");
    const { status, headers } = await service.ask(`/files/${id}`);
    const day = new Date().toISOString().slice(0, 10);
    expect(status).toBe(200);
    expect(Object.fromEntries(headers)).toMatchObject({
      "x-accel-redirect": `/_files/${day}/${id}/a%20b%23%3F%25%C3%A9.html`,
      "content-type": "text/html",
      "content-disposition": "attachment; filename=\"a b#?__.html\"; filename*=UTF-8''a%20b%23%3F%25%C3%A9.html",
      "content-security-policy": "default-src 'none'; sandbox",
      "x-content-type-options": "nosniff",
      "repr-digest": `sha-256=:${Buffer.from(sha256("a b#?%é.html"), "hex").toString("base64")}:`,
    });
  });

  it.each(["", "text/html\u00e9", "nonsense", "text/plain; charset=\u202e"])("has a plain type when the client's was %j", async (contentType) => {
    expect((await service.ask(`/files/${await upload("x", contentType)}`)).headers.get("Content-Type")).toBe("application/octet-stream");
  });

  it("answers HEAD", async () => {
    const response = await service.ask(`/files/${await upload("x")}`, { method: "HEAD" });
    expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "text/html"]);
  });

  it("of nothing is 404", async () => {
    expect((await service.ask("/files/01ARZ3NDEKTSV4RRFFQ69G5FAV")).status).toBe(404);
    expect((await service.ask("/files/../../etc/passwd")).status).toBe(404);
  });
});
