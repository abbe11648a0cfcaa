import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { UploadView } from "../../web/model.ts";
import { complete, fieldsOf, startTestService, type TestService, writeIncoming } from "../helpers/service.ts";

interface Page {
  readonly uploads: readonly UploadView[];
  readonly next: string | null;
}

const names = ["alpha.txt", "Beta 100%.csv", "gamma_1.txt", "Übergröße.pdf", "delta.txt", "alpha 2.txt"];
let service: TestService;
const ids: string[] = [];

beforeAll(async () => {
  service = await startTestService();
  for (const [index, name] of names.entries()) {
    const fields = [...fieldsOf(writeIncoming(service.folder, `content ${index}`), name), ["description", index === 4 ? "About ÉLAN" : ""]] as [string, string][];
    ids.push(((await (await complete(service, fields)).json()) as { id: string }).id);
  }
});

afterAll(() => service.remove());

async function page(query: string): Promise<Page> {
  const response = await service.ask(`/api/uploads${query}`);
  expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "application/json; charset=utf-8"]);
  return (await response.json()) as Page;
}

it("lists the newest first, with everything that is known of them", async () => {
  const { uploads, next } = await page("");
  expect(uploads.map(({ id }) => id)).toEqual([...ids].reverse());
  expect(next).toBeNull();
  expect(uploads[1]).toEqual({
    id: ids[4],
    name: "delta.txt",
    size: 9,
    folder: null,
    contentType: "text/plain",
    checksums: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    description: "About ÉLAN",
    completedAt: expect.stringMatching(/Z$/) as string,
    state: "complete",
  });
});

it("pages through without a gap or a repetition", async () => {
  const seen: string[] = [];
  let next: string | null = null;
  do {
    const answer: Page = await page(`?limit=4${next === null ? "" : `&after=${next}`}`);
    seen.push(...answer.uploads.map(({ id }) => id));
    next = answer.next;
  } while (next !== null);
  expect(seen).toEqual([...ids].reverse());
});

it("says that there is no next page when the last one is full", async () => {
  expect((await page(`?limit=${names.length}`)).next).toBeNull();
});

describe("search", () => {
  it.each([
    ["ALPHA", [5, 0]],
    ["100%", [1]],
    ["%", [1]],
    ["_", [2]],
    ["\\", []],
    ["übergrösse", []],
    ["ÜBERGRÖSSE", []],
    ["übergröße", [3]],
    ["U\u0308bergro\u0308ße", [3]],
    ["élan", [4]],
    ["'; DROP TABLE uploads; --", []],
    ["  delta  ", [4]],
  ])("finds %j", async (text, expected) => {
    const { uploads } = await page(`?q=${encodeURIComponent(text)}`);
    expect(uploads.map(({ id }) => ids.indexOf(id))).toEqual(expected);
  });

  it("finds by the beginning of a checksum", async () => {
    const [newest] = (await page("?limit=1")).uploads;
    const digest = newest?.checksums["sha256"] ?? "";
    expect((await page(`?q=${digest.slice(0, 12).toUpperCase()}`)).uploads.map(({ id }) => id)).toEqual([newest?.id]);
  });
});

it("shows one upload", async () => {
  const response = await service.ask(`/api/uploads/${ids[0]}`);
  expect(await response.json()).toMatchObject({ id: ids[0], name: "alpha.txt", state: "complete" });
});

describe("errors", () => {
  it.each([
    ["/api/uploads/01ARZ3NDEKTSV4RRFFQ69G5FAV", 404, "not_found"],
    ["/api/uploads/..%2f..%2fetc", 404, "not_found"],
    ["/api/uploads/", 404, "not_found"],
    ["/api/uploads?limit=0", 400, "bad_query"],
    ["/api/uploads?limit=201", 400, "bad_query"],
    ["/api/uploads?limit=1.5", 400, "bad_query"],
    ["/api/uploads?limit=1&limit=2", 400, "bad_query"],
    ["/api/uploads?after=x", 400, "bad_query"],
    ["/api/uploads?sort=colour", 400, "bad_query"],
    [`/api/uploads?q=${"x".repeat(201)}`, 400, "bad_query"],
    ["/nothing/here", 404, "not_found"],
    ["/%ff", 404, "not_found"],
    ["/assets/%2e%2e%2fpackage.json", 404, "not_found"],
    ["/assets/%E0%A4%A", 404, "not_found"],
  ])("%s -> %d", async (path, status, code) => {
    const response = await service.ask(path, { headers: { "X-Request-ID": "0123456789abcdef0123456789abcdef" } });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      error: { code, status, message: expect.any(String) as string, hint: expect.any(String) as string, requestId: "0123456789abcdef0123456789abcdef" },
    });
  });

  it.each([
    ["DELETE", "/api/uploads", 405, "HEAD, GET"],
    ["PUT", "/internal/complete", 405, "POST"],
    ["GET", "/internal/complete", 405, "POST"],
    ["POST", "/", 405, "HEAD, GET"],
  ])("%s %s -> %d", async (method, path, status, allow) => {
    const response = await service.ask(path, { method });
    expect([response.status, response.headers.get("Allow")]).toEqual([status, allow]);
    expect(await response.json()).toMatchObject({ error: { code: "method_not_allowed" } });
  });

  it("is a page for a browser, with the same sentences", async () => {
    const headers = { Accept: "text/html,*/*;q=0.8", "X-Request-ID": "feedfacefeedfacefeedfacefeedface" };
    const response = await service.ask("/api/uploads?limit=<script>", { headers });
    expect([response.status, response.headers.get("Content-Type"), response.headers.get("Vary")]).toEqual([400, "text/html; charset=utf-8", "Accept"]);
    const html = await response.text();
    expect(html).toContain("limit: not a number from 1 to 200");
    expect(html).toContain("feedfacefeedfacefeedfacefeedface");
    expect(html).not.toContain("<script>");
  });
});

describe("the secret", () => {
  it.each([
    ["none", {}],
    ["a wrong one", { "X-Slipway-Secret": "0".repeat(48) }],
    ["an empty one", { "X-Slipway-Secret": "" }],
  ])("%s: 403 everywhere but at the health check", async (_what, headers) => {
    for (const path of ["/", "/list", "/api/uploads", "/internal/complete", "/assets/app.css", "/none"]) {
      expect((await fetch(service.url + path, { headers })).status).toBe(403);
    }
    expect((await fetch(`${service.url}/healthz`, { headers })).status).toBe(200);
  });
});

it("logs the request id that nginx gave, and makes one where it gave none that can be logged", async () => {
  await service.ask("/list", { headers: { "X-Request-ID": "cafecafecafecafecafecafecafecafe" } });
  await service.ask("/list", { headers: { "X-Request-ID": "a b\"{}" } });
  const logged = service.log.filter(({ msg, path }) => msg === "request" && path === "/list").map(({ requestId }) => requestId);
  expect(logged).toContain("cafecafecafecafecafecafecafecafe");
  expect(logged.at(-1)).toMatch(/^[0-9a-f]{32}$/);
});
