/** RFC 9530 on every way to upload: what differs from its digest is refused and explained, and nothing of it is kept. */
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { digestField, resumingDialects } from "../../helpers/dialects.ts";
import { type Answer, form, json, send } from "../../helpers/e2e-client.ts";
import { type LocalTestSite, withoutLocal } from "../../helpers/e2e-local.ts";
import { useTestSite } from "../../helpers/e2e-suite.ts";
import { waysInOneRequest } from "../../helpers/one-request.ts";

const sha512Field = (bytes: Buffer): string => `sha-512=:${createHash("sha512").update(bytes).digest("base64")}:`;
const other = Buffer.from("another");
const bytes = randomBytes(200_000);
const ways = Object.entries(waysInOneRequest(bytes));

describe.skipIf(withoutLocal())("digests of uploads", () => {
  let site: LocalTestSite;
  useTestSite({ upload: { checksums: ["sha256"] } }, (started) => (site = started));

  function expectFiled(): void {
    expect(site.kept().rows.map(({ checksums, state }) => [checksums["sha256"], state])).toEqual([[createHash("sha256").update(bytes).digest("hex"), "complete"]]);
  }

  const codeOf = (answer: Answer): unknown[] => [answer.status, json<{ error: { code: string } }>(answer).error.code];

  describe.each(ways)("%s", (way, ask) => {
    const put = (headers: Readonly<Record<string, string>>, body?: Buffer): Promise<Answer> => ask(site, headers, body);

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

  describe("ranged segments, several of a file", () => {
    const half = bytes.length / 2;

    /** Sends one half. */
    const segment = (from: number, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => {
      const own = { "content-type": "application/octet-stream", "session-id": "halves", "content-range": `bytes ${from}-${from + half - 1}/${bytes.length}` };
      return send(site, "/upload", { method: "POST", body: bytes.subarray(from, from + half), headers: { ...own, ...headers } });
    };

    it.each([
      ["sha-256", digestField, 0, half],
      ["sha-512", sha512Field, 0, half],
      ["sha-256, the second half first", digestField, half, 0],
      ["sha-512, the second half first", sha512Field, half, 0],
    ] as const)("are held against the Repr-Digest of the whole that comes with the last, %s", async (_which, field, first, last) => {
      expect((await segment(first)).status).toBe(201);
      // The digest of the last segment alone is not that of the file.
      for (const wrong of [other, bytes.subarray(last, last + half)]) {
        expect(codeOf(await segment(last, { "repr-digest": field(wrong) }))).toEqual([400, "digest_mismatch"]);
        await site.expectNothingKept();
        expect((await segment(first, { "repr-digest": field(bytes) })).status).toBe(201);
      }
      const whole = await segment(last, { "repr-digest": field(bytes) });
      expect([whole.status, whole.headers["repr-digest"]]).toEqual([200, digestField(bytes)]);
      expectFiled();
    });
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

describe.skipIf(withoutLocal())("digests that a client wants, of sha-256 and sha-512", () => {
  let site: LocalTestSite;
  useTestSite({ upload: { checksums: ["sha256", "sha512"] } }, (started) => (site = started));

  const both = `${digestField(bytes)}, ${sha512Field(bytes)}`;
  const wishes: Readonly<Record<string, string>> = {
    "sha-512=1": sha512Field(bytes),
    "sha-256=0, sha-512=10": sha512Field(bytes),
    "sha-256=3": digestField(bytes),
    "sha-512=2, sha-256=9": both,
    "unixsum=5": both,
  };

  it.each(ways)("come with the answer, and with the download: %s", async (_way, put) => {
    for (const [want, digest] of Object.entries(wishes)) {
      const headers = { "want-repr-digest": want };
      const answer = await put(site, headers);
      expect([200, 201], answer.text).toContain(answer.status);
      expect([want, answer.headers["repr-digest"]]).toEqual([want, digest]);
      const download = await send(site, `/files/${site.kept().rows[0]?.id}`, { headers });
      expect([want, download.status, download.headers["repr-digest"]]).toEqual([want, 200, digest]);
      site.clear();
    }
  });

  it.each(resumingDialects.map((client) => [client.name, client] as const))("come with the last bytes, and when they are asked for: %s", async (_name, client) => {
    const ask = ({ method, path, headers }: ReturnType<typeof client.head>, want: string, body?: Buffer): Promise<Answer> =>
      send(site, path, { method, headers: { ...headers, "want-repr-digest": want }, ...(body === undefined ? {} : { body }) });
    const address = (await ask(client.create(bytes.length), "sha-512=1")).headers["location"] ?? "";
    const last = await ask(client.append(address, 0, bytes.length, bytes.length), "sha-512=1", bytes);
    expect(last.headers["repr-digest"]).toBe(sha512Field(bytes));
    for (const [want, digest] of Object.entries(wishes)) {
      expect([want, (await ask(client.head(address), want)).headers["repr-digest"]]).toEqual([want, digest]);
    }
  });
});
