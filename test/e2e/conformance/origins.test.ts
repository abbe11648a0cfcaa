/** Pages of other origins: what a browser is told of their uploads by PUT, by resumable uploads and by tus. */
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { digestField, resumable } from "../../helpers/dialects.ts";
import { type Answer, send } from "../../helpers/e2e-client.ts";
import { type LocalTestSite, withoutLocal } from "../../helpers/e2e-local.ts";
import { useTestSite } from "../../helpers/e2e-suite.ts";

const origin = "https://app.example";
const evil = "https://evil.example";

describe.skipIf(withoutLocal())("uploads from pages of other origins", () => {
  let site: LocalTestSite;
  const client = resumable(8);
  const bytes = randomBytes(1000);
  useTestSite({ upload: { corsOrigins: [origin] } }, (started) => (site = started));

  const ask = ({ method, path, headers }: ReturnType<typeof client.head>, from: string, body?: Buffer): Promise<Answer> => send(site, path, { method, headers: { origin: from, ...headers }, ...(body === undefined ? {} : { body }) });

  /** Holds an answer against what a browser lets its page read: these headers, which it has. */
  function expectReadable({ headers }: Answer, names: readonly string[]): void {
    expect(headers["access-control-allow-origin"]).toBe(origin);
    expect(headers["access-control-allow-credentials"]).toBeUndefined();
    const exposed = (headers["access-control-expose-headers"] ?? "").toLowerCase().split(", ");
    expect(exposed).toEqual(expect.arrayContaining([...names]));
    expect(exposed).toHaveLength(new Set(exposed).size);
    expect(Object.keys(headers)).toEqual(expect.arrayContaining([...names]));
  }

  it.each([
    ["PUT", "/upload/a.bin", "content-type,repr-digest"],
    ["POST", "/upload/a.bin", "upload-complete,upload-draft-interop-version,upload-length"],
    ["PATCH", "/upload/~01ARZ3NDEKTSV4RRFFQ69G5FAV", "content-type,upload-complete,upload-draft-interop-version,upload-offset"],
    ["DELETE", "/upload/~01ARZ3NDEKTSV4RRFFQ69G5FAV", "upload-draft-interop-version"],
    ["PATCH", "/tus/", "tus-resumable,upload-offset"],
  ])("may ask for %s at %s", async (method, path, names) => {
    const preflight = { method: "OPTIONS", path, headers: { "access-control-request-method": method, "access-control-request-headers": names } };
    const allowed = await ask(preflight, origin);
    expect([allowed.status, allowed.headers["access-control-allow-origin"], allowed.headers["access-control-allow-headers"], allowed.headers["vary"]]).toEqual([204, origin, names, "Origin"]);
    expect(allowed.headers["access-control-allow-methods"]?.split(", ")).toContain(method);
    const other = await ask(preflight, evil);
    expect([other.headers["access-control-allow-origin"], other.headers["access-control-allow-methods"], other.headers["vary"]]).toEqual([undefined, undefined, "Origin"]);
  });

  it("may read what PUT is answered", async () => {
    const put = (from: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => ask({ method: "PUT", path: "/upload/a.bin", headers }, from, bytes);
    const answer = await put(origin);
    expect(answer.status).toBe(201);
    expectReadable(answer, ["location", "repr-digest", "x-request-id"]);
    const refused = await put(origin, { "repr-digest": digestField(Buffer.from("another")) });
    expect(refused.status).toBe(400);
    expectReadable(refused, ["x-request-id"]);
    expect((await put(evil)).headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("may read how far a resumable upload is, where it lies and what the site takes", async () => {
    const created = await ask(client.create(bytes.length), origin);
    expectReadable(created, ["location", "upload-complete", "upload-limit", "upload-offset"]);
    const address = created.headers["location"] ?? "";
    expectReadable(await ask(client.append(address, 0, 400, bytes.length), origin, bytes.subarray(0, 400)), ["upload-complete", "upload-limit", "upload-offset"]);
    expectReadable(await ask(client.head(address), origin), ["upload-complete", "upload-length", "upload-limit", "upload-offset"]);
    const wrong = await ask(client.append(address, 0, 1000, bytes.length), origin, bytes);
    expect(wrong.status).toBe(409);
    expectReadable(wrong, ["upload-offset"]);
    expectReadable(await ask(client.append(address, 400, 600, bytes.length), origin, bytes.subarray(400)), ["repr-digest", "upload-complete", "upload-offset"]);
    expect((await ask(client.head(address), evil)).headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("may read what tus answers, refusals included", async () => {
    const unknown = { method: "PATCH", path: "/tus/unknown", headers: { "tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream", "upload-offset": "0" } };
    const refused = await ask(unknown, origin, Buffer.from("x"));
    expect(refused.status).toBe(404);
    expectReadable(refused, ["tus-resumable", "x-request-id"]);
    expect(refused.headers["access-control-expose-headers"]).toContain("Upload-Offset");
    expect(refused.headers["access-control-expose-headers"]).toContain("Content-Location");
    expect((await ask(unknown, evil, Buffer.from("x"))).headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("may read that uploads can be resumed", async () => {
    const options = { method: "OPTIONS", path: "/upload/a.bin", headers: {} };
    expectReadable(await ask(options, origin), ["accept-patch", "upload-limit"]);
    expectReadable(await ask({ ...options, headers: { "upload-complete": "?0" } }, origin), ["accept-patch", "upload-limit"]);
  });
});
