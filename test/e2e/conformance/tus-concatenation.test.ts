/** Concatenation of tus: parts that know their place, and parts that are joined. */
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Answer, json, send, until } from "../../helpers/e2e-client.ts";
import { sha256 } from "../../helpers/e2e-files.ts";
import { type LocalTestSite, withoutLocal } from "../../helpers/e2e-local.ts";
import { useTestSite } from "../../helpers/e2e-suite.ts";
import { base64, octets, tusRequests } from "../../helpers/tus.ts";

describe.skipIf(withoutLocal())("concatenation of tus 1.0.0", () => {
  let site: LocalTestSite;
  useTestSite({}, (started) => (site = started));

  const { tus, created, patch, expectFiled } = tusRequests(() => site);

  const partial = (length: number, metadata = ""): Promise<string> => created({ "upload-length": String(length), "upload-concat": "partial", ...(metadata === "" ? {} : { "upload-metadata": metadata }) });
  const join_ = (parts: readonly string[]): Promise<Answer> => tus("POST", "/tus/", { "upload-concat": `final;${parts.join(" ")}`, "upload-metadata": `filename ${base64("whole.bin")}` });

  it("writes parts that know their place straight into the file, and is done with the answer", async () => {
    const bytes = randomBytes(3_000_000);
    const cuts = [0, 1_200_000, 1_200_001, 3_000_000];
    const file = sha256(bytes).slice(0, 32);
    const parts = await Promise.all([0, 1, 2].map((i) => partial(cuts[i + 1]! - cuts[i]!, `file ${base64(file)},offset ${base64(String(cuts[i]))},total ${base64("3000000")}`)));
    expect((await join_(parts)).status).toBe(400);
    const receiving = json<{ uploads: { received: number; size: number }[] }>(await send(site, "/api/uploads?state=receiving"));
    expect(receiving.uploads).toEqual([expect.objectContaining({ received: 0, size: 3_000_000 })]);
    const [first, second, third] = parts as [string, string, string];
    const later = await patch(third, 0, bytes.subarray(1_200_001, 2_000_000));
    expect([later.status, later.headers["upload-offset"], later.text]).toEqual([204, "799999", ""]);
    expect((await tus("HEAD", third)).headers["upload-offset"]).toBe("799999");
    expect((await patch(second, 0, Buffer.from("ab"))).status).toBe(413);
    await Promise.all([patch(first, 0, bytes.subarray(0, 1_200_000)), patch(second, 0, bytes.subarray(1_200_000, 1_200_001)), patch(third, 799_999, bytes.subarray(2_000_000))]);
    const final = await join_(parts);
    expect(final.status, final.text).toBe(201);
    expectFiled(bytes);
    const head = await tus("HEAD", final.headers["location"] ?? "");
    expect([head.headers["upload-offset"], head.headers["upload-length"]]).toEqual(["3000000", "3000000"]);
    expect((await join_(parts)).headers["location"]).toBe(final.headers["location"]);
    expect(site.kept().incoming).toEqual([]);
  });

  it("joins other parts after the answer", async () => {
    const pieces = [randomBytes(100_000), Buffer.alloc(0), randomBytes(50_000)];
    const parts: string[] = [];
    for (const piece of pieces) {
      const path = await partial(piece.length);
      if (piece.length > 0) expect((await patch(path, 0, piece)).status).toBe(204);
      parts.push(path);
    }
    const final = await join_(parts);
    expect(final.status, final.text).toBe(201);
    const address = final.headers["location"] ?? "";
    await until("it is joined", async () => (await tus("HEAD", address)).headers["upload-offset"] === "150000");
    expectFiled(Buffer.concat(pieces));
    await until("the parts are gone", () => site.kept().incoming.length === 0);
    expect((await patch(address, 150_000, Buffer.alloc(0))).status).toBe(403);
  });

  it("says at its address that joined parts are not what was announced, and joins them when they are declared as they are", async () => {
    const pieces = [randomBytes(70_000), randomBytes(30_000)];
    const parts: string[] = [];
    for (const piece of pieces) {
      parts.push(await partial(piece.length));
      expect((await patch(parts.at(-1)!, 0, piece)).status).toBe(204);
    }
    const declared = (bytes: Buffer): Promise<Answer> =>
      tus("POST", "/tus/", { "upload-concat": `final;${parts.join(" ")}`, "repr-digest": `sha-256=:${createHash("sha256").update(bytes).digest("base64")}:` });
    const wrong = await declared(Buffer.from("another"));
    expect(wrong.status, wrong.text).toBe(201);
    const address = wrong.headers["location"] ?? "";
    await until("it is refused", async () => (await tus("HEAD", address)).status === 400);
    const asked = await tus("PATCH", address, { "content-type": octets, "upload-offset": "0" });
    expect([asked.status, json<{ error: { code: string } }>(asked).error.code]).toEqual([400, "digest_mismatch"]);
    expect(asked.text).toContain("declared final again");
    expect(site.kept().rows).toEqual([]);
    expect(json<{ uploads: { state: string }[] }>(await send(site, "/api/uploads?state=receiving")).uploads.filter(({ state }) => state === "joining")).toEqual([]);

    const right = await declared(Buffer.concat(pieces));
    expect(right.headers["location"]).not.toBe(address);
    await until("it is joined", async () => (await tus("HEAD", right.headers["location"] ?? "")).headers["upload-offset"] === "100000");
    expectFiled(Buffer.concat(pieces));
    await until("the parts are gone", () => site.kept().incoming.length === 0);
  });

  it("makes one file of parts that are declared twice at once, and keeps them from a DELETE until it is there", async () => {
    const pieces = Array.from({ length: 4 }, () => randomBytes(8_000_000));
    const parts = await Promise.all(pieces.map(({ length }) => partial(length)));
    for (const [index, path] of parts.entries()) expect((await patch(path, 0, pieces[index]!)).status).toBe(204);
    const finals = await Promise.all([join_(parts), join_(parts), join_(parts)]);
    expect(finals.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(finals.map(({ headers }) => headers["location"])).size).toBe(1);
    expect([204, 404]).toContain((await tus("DELETE", parts.at(-1)!)).status);
    const address = finals[0]?.headers["location"] ?? "";
    await until("it is joined", async () => (await tus("HEAD", address)).headers["upload-offset"] === "32000000", 10);
    expectFiled(Buffer.concat(pieces));
    await until("the parts are gone", () => site.kept().incoming.length === 0, 5);
    const again = await join_(parts);
    expect([again.headers["location"], again.headers["content-location"]]).toEqual([address, `/api/uploads/${site.kept().rows[0]!.id}`]);
  });

  it("files parts that know their place by a second declaration when the first one met a broken database", async () => {
    const bytes = randomBytes(1000);
    const path = await partial(1000, `file ${base64("a-name-of-a-file")},offset ${base64("0")},total ${base64("1000")}`);
    expect((await patch(path, 0, bytes)).status).toBe(204);
    await site.withBrokenRecords(async () => expect((await join_([path])).status).toBe(500));
    const final = await join_([path]);
    expect([final.status, final.headers["content-location"]]).toEqual([201, `/api/uploads/${site.kept().rows[0]?.id}`]);
    expectFiled(bytes);
  });

  it("says of a part whose file has another total what is wrong, and makes a file of no bytes of parts of none", async () => {
    const place = (total: number): string => `file ${base64(`name-of-the-file-${total % 2}`)},offset ${base64("0")},total ${base64(String(total))}`;
    await partial(1, place(9));
    const other = await tus("POST", "/tus/", { "upload-length": "1", "upload-concat": "partial", "upload-metadata": place(11), "content-type": octets }, Buffer.from("x"));
    expect([other.status, json<{ error: { code: string } }>(other).error.code]).toEqual([409, "other_length"]);
    expect((await join_([await partial(0, place(0))])).status).toBe(201);
    await until("it is joined", () => site.kept().rows[0]?.state === "complete", 5);
    expectFiled(Buffer.alloc(0));
  });

  it("names all parts to HEAD, as many as a request can name, and metadata of any length", async () => {
    // nginx takes a header line of 16 KiB, and the service 32 KiB of headers.
    const [bytes, length] = [randomBytes(510), { "upload-length": "1", "upload-concat": "partial", "content-type": octets }];
    const parts: string[] = [];
    for (let at = 0; at < bytes.length; at += 10) {
      const some = Array.from({ length: 10 }, (_, i) => tus("POST", "/tus/", length, bytes.subarray(at + i, at + i + 1)));
      parts.push(...(await Promise.all(some)).map(({ headers }) => headers["location"] ?? ""));
    }
    const headers = { "upload-concat": `final;${parts.join(" ")}`, "upload-metadata": `filename ${base64("whole.bin")},note ${base64("n".repeat(9000))}` };
    const final = await tus("POST", "/tus/", headers);
    expect(final.status, final.text).toBe(201);
    const head = (): Promise<Answer> => tus("HEAD", final.headers["location"] ?? "");
    expect((await head()).status).toBe(200);
    await until("it is joined", async () => (await head()).headers["upload-offset"] === "510");
    expect((await head()).headers).toMatchObject(headers);
    expectFiled(bytes);
    await until("the parts are gone", () => site.kept().incoming.length === 0);
  }, 60_000);
});
