/** What only tus has: its extensions and its versions. */
import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Answer, json, send, wire } from "../../helpers/e2e-client.ts";
import { type LocalTestSite, withoutLocal } from "../../helpers/e2e-local.ts";
import { useTestSite } from "../../helpers/e2e-suite.ts";
import { base64, octets, tusRequests } from "../../helpers/tus.ts";

describe.skipIf(withoutLocal())("tus 1.0.0, beyond what all dialects do", () => {
  let site: LocalTestSite;
  useTestSite({ upload: { maxFileSize: "1g" } }, (started) => (site = started));

  const { tus, created, patch, expectFiled } = tusRequests(() => site);

  it("says in OPTIONS what it does, and only that", async () => {
    const answer = await send(site, "/tus/", { method: "OPTIONS" });
    expect([answer.status, answer.headers["tus-version"], answer.headers["tus-max-size"]]).toEqual([204, "1.0.0", String(1024 ** 3)]);
    expect(answer.headers["tus-extension"]).toBe("creation,creation-with-upload,creation-defer-length,expiration,termination,concatenation,checksum");
    expect(answer.headers["tus-checksum-algorithm"]).toBe("sha1,sha256,sha512,md5,crc32");
  });

  it.each([["none", {}], ["another", { "tus-resumable": "0.2.2" }]])("refuses %s version with 412, and names its own", async (_, headers) => {
    const answer = await send(site, "/tus/", { method: "POST", headers: { "upload-length": "1", ...headers } });
    expect([answer.status, answer.headers["tus-version"], answer.headers["tus-resumable"]]).toEqual([412, "1.0.0", "1.0.0"]);
  });

  it.each([
    ["no length", {}, 400],
    ["two lengths", { "upload-length": "1", "upload-defer-length": "1" }, 400],
    ["metadata that is none", { "upload-length": "1", "upload-metadata": "a b c" }, 400],
    ["a body of another type", { "upload-length": "1", "content-type": "text/plain" }, 415],
  ])("refuses a creation with %s", async (_, headers, status) => {
    expect((await tus("POST", "/tus/", headers, Buffer.from("x"))).status).toBe(status);
    await site.expectNothingKept();
  });

  it("refuses a PATCH of another type", async () => {
    const path = await created({ "upload-length": "3" });
    expect((await tus("PATCH", path, { "content-type": "text/plain", "upload-offset": "0" }, Buffer.from("abc"))).status).toBe(415);
  });

  it("takes the first bytes with the creation", async () => {
    const bytes = randomBytes(1000);
    const answer = await tus("POST", "/tus/", { "upload-length": "1000", "content-type": octets }, bytes.subarray(0, 600));
    expect([answer.status, answer.headers["upload-offset"]]).toEqual([201, "600"]);
    expect(Date.parse(answer.headers["upload-expires"] ?? "")).toBeGreaterThan(Date.now());
    expect((await tus("POST", "/tus/", { "upload-length": "3", "content-type": octets }, Buffer.alloc(0))).headers["upload-offset"]).toBe("0");
    expect((await patch(answer.headers["location"] ?? "", 600, bytes.subarray(600))).status).toBe(204);
    expectFiled(bytes);
  });

  it("files an upload of no bytes as it is created, and says where and with which digest", async () => {
    const answer = await tus("POST", "/tus/", { "upload-length": "0", "want-repr-digest": "sha-256=10" });
    expect([answer.status, answer.headers["upload-offset"], answer.headers["upload-expires"]]).toEqual([201, "0", undefined]);
    expectFiled(Buffer.alloc(0));
    const digest = `sha-256=:${createHash("sha256").digest("base64")}:`;
    const { id } = json<{ id: string }>(await send(site, answer.headers["content-location"] ?? ""));
    expect([answer.headers["repr-digest"], id]).toEqual([digest, site.kept().rows[0]!.id]);
    const head = await tus("HEAD", answer.headers["location"] ?? "", { "want-repr-digest": "sha-256=10" });
    expect([head.headers["repr-digest"], head.headers["content-location"]]).toEqual([digest, answer.headers["content-location"]]);
  });

  it.each(["/tus", "/.//tus/", "/tus?a=b"])("is spoken at %s as well", async (address) => {
    const bytes = randomBytes(100);
    const answer = await tus("POST", address, { "upload-length": "100", "content-type": octets }, bytes.subarray(0, 40));
    expect([answer.status, answer.headers["upload-offset"]], answer.text).toEqual([201, "40"]);
    const path = answer.headers["location"] ?? "";
    expect(path).toMatch(/^\/tus\/[0-9A-Z]{26}$/);
    expect((await patch(`/./${path}`, 40, bytes.subarray(40))).status).toBe(204);
    expectFiled(bytes);
  });

  it("obeys X-HTTP-Method-Override", async () => {
    const bytes = randomBytes(100);
    const path = await created({ "upload-length": "100" });
    const answer = await tus("POST", path, { "x-http-method-override": "PATCH", "content-type": octets, "upload-offset": "0" }, bytes);
    expect([answer.status, answer.headers["upload-offset"]]).toEqual([204, "100"]);
    expectFiled(bytes);
    const other = await created({ "upload-length": "100" });
    expect((await tus("POST", other, { "x-http-method-override": "DELETE" })).status).toBe(204);
    expect((await tus("HEAD", other)).status).toBe(404);
  });

  it("gives metadata back as it came", async () => {
    const metadata = `filename ${base64("a.txt")},flag`;
    const path = await created({ "upload-defer-length": "1", "upload-metadata": metadata });
    const { headers } = await tus("HEAD", path);
    expect([headers["upload-metadata"], headers["upload-defer-length"], headers["upload-length"]]).toEqual([metadata, "1", undefined]);
  });

  it("does not read a large body that it refuses", async () => {
    const path = await created({ "upload-length": String(1024 ** 3) });
    const connection = await wire(site);
    connection.write(`PATCH ${path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nContent-Type: ${octets}\r\nUpload-Offset: 7\r\nContent-Length: 1000000000\r\n\r\nfirst bytes`);
    expect((await connection.answer()).status).toBe(409);
    connection.destroy();
  });

  describe("checksum", () => {
    const digests: Readonly<Record<string, (body: Buffer) => Buffer>> = {
      ...Object.fromEntries(["sha1", "sha256", "sha512", "md5"].map((name) => [name, (body: Buffer) => createHash(name).update(body).digest()])),
      crc32: (body) => {
        const value = Buffer.alloc(4);
        value.writeUInt32BE(crc32(body));
        return value;
      },
    };
    const checksum = (name: string, body: Buffer): Readonly<Record<string, string>> => ({ "upload-checksum": `${name} ${digests[name]!(body).toString("base64")}` });

    it.each(Object.keys(digests))("takes a body that agrees, and nothing of one that does not: %s", async (name) => {
      const bytes = randomBytes(300_000);
      const [first, second] = [bytes.subarray(0, 100_000), bytes.subarray(100_000)];
      const path = await created({ "upload-length": String(bytes.length) });
      expect((await patch(path, 0, first, checksum(name, first))).headers["upload-offset"]).toBe("100000");
      const refused = await patch(path, 100_000, Buffer.alloc(200_000), checksum(name, second));
      expect([refused.status, json<{ error: { code: string } }>(refused).error.code]).toEqual([460, "checksum_mismatch"]);
      expect((await tus("HEAD", path)).headers["upload-offset"]).toBe("100000");
      expect((await patch(path, 100_000, second, checksum(name, second))).status).toBe(204);
      expectFiled(bytes);
    });

    it("compares the first bytes with the creation, too", async () => {
      const bytes = randomBytes(1000);
      const post = (sum: Readonly<Record<string, string>>): Promise<Answer> => tus("POST", "/tus/", { "upload-length": "1000", "content-type": octets, ...sum }, bytes);
      expect((await post(checksum("sha1", Buffer.from("other")))).status).toBe(460);
      expect(site.kept().rows).toEqual([]);
      expect((await post(checksum("sha1", bytes))).status).toBe(201);
      expectFiled(bytes);
    });

    it.each(["sha384 AAAA", "sha1 AAAA", "sha1", "sha1 ?"])("refuses what it cannot compare with 400: %s", async (value) => {
      const path = await created({ "upload-length": "3" });
      expect((await patch(path, 0, Buffer.from("abc"), { "upload-checksum": value })).status).toBe(400);
      expect((await tus("HEAD", path)).headers["upload-offset"]).toBe("0");
    });

    it("tells a wrong Content-Digest, which is 400", async () => {
      const path = await created({ "upload-length": "3" });
      const answer = await patch(path, 0, Buffer.from("abc"), { "content-digest": `sha-256=:${createHash("sha256").digest("base64")}:` });
      expect([answer.status, json<{ error: { code: string } }>(answer).error.code]).toEqual([400, "digest_mismatch"]);
    });
  });

  it("shows what is under way, and how far it is", async () => {
    const path = await created({ "upload-length": "1000", "upload-metadata": `filename ${base64("slow.bin")},filetype ${base64("text/x-test")}` });
    await patch(path, 0, randomBytes(300));
    const { uploads } = json<{ uploads: object[] }>(await send(site, "/api/uploads?state=receiving"));
    expect(uploads).toEqual([{ id: null, protocol: "tus", name: "slow.bin", size: 1000, received: 300, contentType: "text/x-test", state: "receiving", startedAt: expect.any(String), expiresAt: expect.any(String) }]);
    expect(JSON.stringify(uploads)).not.toContain(path.split("/").at(-1));
    expect((await send(site, "/api/uploads?state=other")).status).toBe(400);
  });
});
