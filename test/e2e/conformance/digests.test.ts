/** RFC 9530 on every way to upload: what differs from its digest is refused and explained, and nothing of it is kept. */
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { digestField, resumingDialects } from "../../helpers/dialects.ts";
import { type Answer, form, json, send } from "../../helpers/e2e-client.ts";
import { type LocalTestSite, withoutLocal } from "../../helpers/e2e-local.ts";
import { useTestSite } from "../../helpers/e2e-suite.ts";

const sha512Field = (bytes: Buffer): string => `sha-512=:${createHash("sha512").update(bytes).digest("base64")}:`;
const other = Buffer.from("another");
const bytes = randomBytes(200_000);

describe.skipIf(withoutLocal())("digests of uploads", () => {
  let site: LocalTestSite;
  useTestSite({ upload: { checksums: ["sha256"] } }, (started) => (site = started));

  function expectFiled(): void {
    expect(site.kept().rows.map(({ checksums, state }) => [checksums["sha256"], state])).toEqual([[createHash("sha256").update(bytes).digest("hex"), "complete"]]);
  }

  const codeOf = (answer: Answer): unknown[] => [answer.status, json<{ error: { code: string } }>(answer).error.code];

  const oneRequest: Readonly<Record<string, (headers: Readonly<Record<string, string>>, body?: Buffer) => Promise<Answer>>> = {
    PUT: (headers, body = bytes) => send(site, "/upload/a.bin", { method: "PUT", body, headers }),
    form: (headers) => {
      const { body, contentType } = form([{ name: "file", filename: "a.bin", content: bytes }]);
      return send(site, "/upload", { method: "POST", body, headers: { "content-type": contentType, ...headers } });
    },
    "ranged segment": (headers, body = bytes) => {
      const own = { "content-type": "application/octet-stream", "session-id": "digests", "content-range": `bytes 0-${bytes.length - 1}/${bytes.length}` };
      return send(site, "/upload", { method: "POST", body, headers: { ...own, ...headers } });
    },
    "tus, with its creation": (headers, body = bytes) =>
      send(site, "/tus/", { method: "POST", body, headers: { "tus-resumable": "1.0.0", "upload-length": String(bytes.length), "content-type": "application/offset+octet-stream", ...headers } }),
    "resumable upload, whole": (headers, body = bytes) => send(site, "/upload/a.bin", { method: "POST", body, headers: { "upload-complete": "?1", "upload-draft-interop-version": "8", ...headers } }),
  };

  describe.each(Object.entries(oneRequest))("%s", (way, put) => {
    it.each([["sha-256", digestField], ["sha-512", sha512Field]] as const)("is held against Repr-Digest, %s, and answered with the digest", async (_algorithm, field) => {
      expect(codeOf(await put({ "repr-digest": field(other) }))).toEqual([400, "digest_mismatch"]);
      await site.expectNothingKept();
      const answer = await put({ "repr-digest": field(bytes), "want-repr-digest": "sha-256=1" });
      expect([200, 201]).toContain(answer.status);
      expect(answer.headers["repr-digest"]).toBe(digestField(bytes));
      expectFiled();
    });

    it("is not taken with a digest that is malformed", async () => {
      expect((await put({ "repr-digest": "sha-256=nonsense" })).status).toBe(400);
      await site.expectNothingKept();
    });

    it("leaves nothing that is shown as under way when it is refused", async () => {
      await put({ "repr-digest": digestField(other) });
      expect(json<{ uploads: object[] }>(await send(site, "/api/uploads?state=receiving")).uploads).toEqual([]);
    });

    // Of a form it is that of the whole body: below.
    if (way === "form") return;

    it("is held against Content-Digest", async () => {
      expect(codeOf(await put({ "content-digest": digestField(other) }))).toEqual([400, "digest_mismatch"]);
      expect(codeOf(await put({ "content-digest": digestField(bytes) }, randomBytes(bytes.length)))).toEqual([400, "digest_mismatch"]);
      await site.expectNothingKept();
      expect([200, 201]).toContain((await put({ "content-digest": digestField(bytes) })).status);
      expectFiled();
    });
  });

  it("a form is held against the Content-Digest of its body, boundaries and all", async () => {
    const { body, contentType } = form([{ name: "file", filename: "a.bin", content: bytes }]);
    const put = (digest: string, sent = body): Promise<Answer> => send(site, "/upload", { method: "POST", body: sent, headers: { "content-type": contentType, "content-digest": digest } });
    expect(codeOf(await put(digestField(bytes)))).toEqual([400, "digest_mismatch"]);
    expect(codeOf(await put("sha-256=nonsense"))).toEqual([400, "bad_request"]);
    expect(codeOf(await put(digestField(body), Buffer.from(body).fill("x", 300, 301)))).toEqual([400, "digest_mismatch"]);
    expect(codeOf(await put(digestField(body.subarray(0, -4)), body.subarray(0, -4)))).toEqual([400, "bad_request"]);
    await site.expectNothingKept();
    expect([200, 201]).toContain((await put(sha512Field(body))).status);
    expectFiled();
  });

  describe.each(resumingDialects)("$name, begun with a digest", (client) => {
    const ask = ({ method, path, headers }: ReturnType<typeof client.head>, body?: Buffer): Promise<Answer> => send(site, path, { method, headers, ...(body === undefined ? {} : { body }) });

    it.each([["sha-256", digestField], ["sha-512", sha512Field]] as const)("is held against it at its end, %s", async (_algorithm, field) => {
      for (const [announced, status] of [[field(other), 400], [field(bytes), 200]] as const) {
        const created = await ask(client.create(bytes.length, { "repr-digest": announced }));
        const address = created.headers["location"] ?? "";
        await ask(client.append(address, 0, 100_000, bytes.length), bytes.subarray(0, 100_000));
        const last = await ask(client.append(address, 100_000, bytes.length - 100_000, bytes.length), bytes.subarray(100_000));
        expect(last.status === 204 ? 200 : last.status).toBe(status);
        if (status === 400) await site.expectNothingKept();
      }
      expectFiled();
    });
  });
});
