/** Uploads without a session of the service's: plain bodies, and the ranged segments of the classic directives. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { digestField } from "../../helpers/dialects.ts";
import { type Answer, json, send, type UploadAnswer, until, wire } from "../../helpers/e2e-client.ts";
import { sha256 } from "../../helpers/e2e-files.ts";
import { type LocalTestSite, withoutLocal } from "../../helpers/e2e-local.ts";
import { useTestSite } from "../../helpers/e2e-suite.ts";

const MiB = 1024 * 1024;

describe.skipIf(withoutLocal())("uploads that are one body, or ranged segments", () => {
  let site: LocalTestSite;
  useTestSite({ upload: { maxFileSize: "16m", checksums: ["sha256", "sha512"] } }, (started) => (site = started));

  function expectFiled(bytes: Buffer, name: string): void {
    const { rows } = site.kept();
    expect(rows.map(({ checksums, size, state }) => [checksums["sha256"], size, state])).toEqual([[sha256(bytes), bytes.length, "complete"]]);
    expect(rows[0]?.target.endsWith(`/${name}`)).toBe(true);
    expect(sha256(readFileSync(join(site.site.store, "files", rows[0]!.target)))).toBe(sha256(bytes));
  }

  describe("PUT", () => {
    const put = (bytes: Buffer, headers: Readonly<Record<string, string>> = {}, path = "/upload/some/k%C3%A4se.bin"): Promise<Answer> => send(site, path, { method: "PUT", body: bytes, headers });

    it("files the body under the last part of the address, and keeps the folders before it", async () => {
      const bytes = randomBytes(3 * MiB + 5);
      const answer = await put(bytes, { "content-type": "text/x-test", "want-repr-digest": "sha-256=1" });
      expect([answer.status, answer.headers["repr-digest"]]).toEqual([201, digestField(bytes)]);
      expect(json<UploadAnswer & object>(answer as never).checksums["sha256"]).toBe(sha256(bytes));
      expectFiled(bytes, "käse.bin");
      expect(json<{ uploads: object[] }>(answer).uploads).toMatchObject([{ name: "käse.bin", folder: "some" }]);
      const download = await send(site, answer.headers["location"] ?? "");
      expect([download.status, sha256(download.body), download.headers["content-type"]]).toEqual([200, sha256(bytes), "text/x-test"]);
      expect(download.headers["repr-digest"]).toContain(digestField(bytes));
      const wanting = await send(site, answer.headers["location"] ?? "", { headers: { "want-repr-digest": "sha-512=0, sha-256=3" } });
      expect(wanting.headers["repr-digest"]).toBe(digestField(bytes));
      expect(site.kept().incoming).toEqual([]);
    });

    it("takes what curl -T sends, of a file and of a pipe", async () => {
      const bytes = randomBytes(2 * MiB);
      const arguments_ = (source: string): string[] => ["-sS", "--fail-with-body", "--cacert", site.site.caFile ?? "", "-T", source, `${site.url}/upload/from-curl`];
      await execa("curl", arguments_("-"), { input: bytes });
      expectFiled(bytes, "from-curl");
    });

    it("takes a file of nothing", async () => {
      expect((await put(Buffer.alloc(0))).status).toBe(201);
      expectFiled(Buffer.alloc(0), "käse.bin");
    });

    it.each(["repr-digest", "content-digest"])("verifies %s", async (name) => {
      const bytes = randomBytes(1000);
      const wrong = await put(bytes, { [name]: digestField(Buffer.from("another")) });
      expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining("digest_mismatch")]);
      await site.expectNothingKept();
      expect((await put(bytes, { [name]: "sha-256=nonsense" })).status).toBe(400);
      expect((await put(bytes, { [name]: digestField(bytes) })).status).toBe(201);
      expectFiled(bytes, "käse.bin");
    });

    it("refuses what is too large, and keeps nothing of what is cut off", async () => {
      expect((await put(randomBytes(16 * MiB + 1))).status).toBe(413);
      const connection = await wire(site);
      connection.write(`PUT /upload/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${MiB}\r\n\r\n`);
      connection.write(randomBytes(1000));
      await until("it has begun", () => site.kept().incoming.length > 0);
      connection.destroy();
      await site.expectNothingKept();
    });

    it("refuses other methods and forms, in the one form of errors", async () => {
      for (const method of ["GET", "DELETE", "PATCH"]) expect((await send(site, "/upload/x", { method })).status).toBe(405);
      const form = await send(site, "/upload/x", { method: "POST", body: Buffer.from("x"), headers: { "content-type": "multipart/form-data; boundary=b" } });
      expect([form.status, form.text]).toEqual([415, expect.stringContaining("A form goes to /upload")]);
    });
  });

  it("says to who asks that uploads can be resumed, and how large they may be, also to who sends more", async () => {
    const limit = "max-size=16777216, max-age=604800";
    const options = await send(site, "/upload/a.bin", { method: "OPTIONS" });
    expect([options.status, options.headers["accept-patch"], options.headers["upload-limit"]]).toEqual([204, "application/partial-upload", limit]);
    const begin = { "upload-complete": "?0", "upload-length": String(17 * MiB), "upload-draft-interop-version": "8" };
    const refused = await send(site, "/upload/a.bin", { method: "POST", headers: { ...begin, "content-length": "0" } });
    expect([refused.status, refused.headers["upload-limit"]]).toEqual([413, limit]);
  });

  it("reads the fields of resumable uploads as structured ones", async () => {
    const bytes = randomBytes(100);
    const first = await send(site, "/upload/a.bin", { method: "POST", headers: { "upload-complete": "?0;a=\"b\"", "upload-length": "100;a" }, body: bytes.subarray(0, 50) });
    expect([first.status, first.headers["upload-offset"]], first.text).toEqual([201, "50"]);
    const more = { "content-type": "application/partial-upload", "upload-offset": "050;a=1", "upload-complete": "?1;a" };
    const last = await send(site, first.headers["location"] ?? "", { method: "PATCH", headers: more, body: bytes.subarray(50) });
    expect([last.status, last.headers["upload-complete"]], last.text).toEqual([200, "?1"]);
    expectFiled(bytes, "a.bin");
  });

  it.each(["sha-256=DIGEST;a=1", "unixsum=1, sha-256=DIGEST", "sha-256=:AAAA:, sha-256=DIGEST"])("holds a body against what a dictionary of digests says: %s", async (text) => {
    const bytes = randomBytes(100);
    const field = (of: Buffer): string => text.replace("DIGEST", digestField(of).replace("sha-256=", ""));
    for (const name of ["repr-digest", "content-digest"]) {
      expect((await send(site, "/upload/a.bin", { method: "PUT", headers: { [name]: field(Buffer.from("another")) }, body: bytes })).status).toBe(400);
      expect((await send(site, "/upload/a.bin", { method: "PUT", headers: { [name]: field(bytes) }, body: bytes })).status).toBe(201);
    }
  });

  it("refuses a beginning in the words of older resumable uploads, which would pass for a whole file", async () => {
    const headers = { "upload-draft-interop-version": "3", "upload-incomplete": "?1" };
    const begun = await send(site, "/upload/a.bin", { method: "POST", body: Buffer.from("begin"), headers });
    expect([begun.status, begun.text]).toEqual([400, expect.stringContaining("Upload-Incomplete: is not spoken here")]);
    await site.expectNothingKept();
    expect((await send(site, "/upload/a.bin", { method: "POST", body: Buffer.from("whole"), headers: { ...headers, "upload-incomplete": "?0" } })).status).toBe(201);
  });

  it("tells a file that is sent to another address where files go, however large it is", async () => {
    const file = randomBytes(3 * MiB);
    for (const [path, method] of [["/a.bin", "PUT"], ["/", "PUT"], ["/upload", "PUT"], ["/somewhere", "POST"]] as const) {
      const answer = await send(site, path, { method, body: file });
      const { error } = json<{ error: { message: string; hint: string } }>(answer);
      expect([answer.status, `${error.message} ${error.hint}`], `${method} ${path}`).toEqual([expect.toSatisfy((status: number) => status === 404 || status === 405), expect.stringContaining("with PUT to")]);
    }
    await site.expectNothingKept();
  });

  describe("ranged segments", () => {
    const segment = (bytes: Buffer, from: number, to: number, session = "conformance-1"): Promise<Answer> =>
      send(site, "/upload", {
        method: "POST",
        body: bytes.subarray(from, to),
        headers: { "content-type": "application/octet-stream", "session-id": session, "content-range": `bytes ${from}-${to - 1}/${bytes.length}`, "content-disposition": 'attachment; filename="seg.bin"' },
      });

    it("end in the same record, in any order and in parallel", async () => {
      const bytes = randomBytes(4 * MiB);
      const starts = [3, 0, 2, 1].map((index) => index * MiB);
      const answers = await Promise.all(starts.map((from) => segment(bytes, from, from + MiB)));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 201, 201, 201]);
      expectFiled(bytes, "seg.bin");
    });

    it("are refused with what a segment needs", async () => {
      const bytes = randomBytes(2000);
      const post = (headers: Readonly<Record<string, string>>): Promise<Answer> => send(site, "/upload", { method: "POST", body: bytes, headers: { "content-type": "application/octet-stream", ...headers } });
      const codes = async (headers: Readonly<Record<string, string>>): Promise<unknown> => {
        const answer = await post(headers);
        return [answer.status, json<{ error: { code: string } }>(answer).error.code];
      };
      expect(await codes({ "session-id": "a", "content-range": "bytes 0-1/x" })).toEqual([400, "bad_segment"]);
      expect(await codes({ "session-id": "a b", "content-range": "bytes 0-1999/2000" })).toEqual([400, "bad_segment"]);
      expect(await codes({ "session-id": "a", "content-range": "bytes 0-998/2000" })).toEqual([416, "segment_length"]);
      expect(await codes({ "session-id": "a", "content-range": "bytes 0-1999/99999999" })).toEqual([413, "too_large"]);
      await site.expectNothingKept();
    });

    it("give the same answer when the last one comes again", async () => {
      const bytes = randomBytes(2000);
      await segment(bytes, 0, 1000);
      const first = await segment(bytes, 1000, 2000);
      const again = await segment(bytes, 1000, 2000);
      expect([first.status, again.status]).toEqual([200, 200]);
      expect(json<UploadAnswer & object>(again as never).id).toBe(json<UploadAnswer & object>(first as never).id);
      expectFiled(bytes, "seg.bin");
    });
  });
});
