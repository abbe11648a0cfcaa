/** What a download answers to ranges. */
import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { json, post, send, type UploadAnswer } from "../helpers/e2e-client.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";

describe.skipIf(withoutLocal())("e2e: a download in ranges", () => {
  let site: LocalTestSite;
  let path: string;
  beforeAll(async () => {
    site = await startTestSite({});
    const answer = await post(site, [{ name: "file", filename: "digits.txt", content: "0123456789" }]);
    path = `/files/${json<UploadAnswer>(answer).id}`;
  }, 300_000);
  afterAll(() => site?.stop());

  /** Names of an answer's headers, each as often as it came. */
  const namesOf = (headers: Readonly<Record<string, string>>, method = "GET"): Promise<{ status: number; names: string[] }> =>
    new Promise((resolve, reject) => {
      request(new URL(path, site.url), { method, ca: site.ca, agent: false, headers }, (answer) => {
        answer.resume();
        resolve({ status: answer.statusCode ?? 0, names: answer.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()) });
      }).on("error", reject).end();
    });

  it.each([["bytes=2-4", "234"], ["bytes=-3", "789"], ["bytes=8-99", "89"]])("gives %s", async (range, text) => {
    const answer = await send(site, path, { headers: { range } });
    expect([answer.status, answer.text]).toEqual([206, text]);
    expect(answer.headers["repr-digest"]).toMatch(/^sha-256=:/);
  });

  it.each(["GET", "HEAD"])("refuses a range outside the file with the headers of an error, each once: %s", async (method) => {
    const { status, names } = await namesOf({ range: "bytes=10-" }, method);
    expect(status).toBe(416);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(["content-range", "content-security-policy", "x-content-type-options", "cache-control"]));
    for (const ofTheFile of ["repr-digest", "content-disposition", "last-modified", "etag"]) expect(names).not.toContain(ofTheFile);
  });

  it("says how long the file is, and what was wrong", async () => {
    const answer = await send(site, path, { headers: { range: "bytes=10-", accept: "application/json" } });
    expect([answer.headers["content-range"], json<{ error: object }>(answer).error]).toMatchObject(["bytes */10", { code: "bad_range", status: 416, requestId: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown }]);
  });

  it("is refused in the one form of errors, without the headers of the file, when it is not the one that was asked for", async () => {
    const { headers } = await send(site, path);
    const [etag = "", date = ""] = [headers["etag"], headers["last-modified"]];
    const longAgo = "Mon, 01 Jan 2001 00:00:00 GMT";
    const wrong: Record<string, string>[] = [{ "if-match": '"another"' }, { "if-match": `W/${etag}` }, { "if-unmodified-since": longAgo }, { "if-match": etag, "if-unmodified-since": longAgo }];
    for (const given of wrong) {
      const answer = await send(site, path, { headers: given });
      expect([answer.status, json<{ error: { code: string } }>(answer).error.code], JSON.stringify(given)).toEqual([412, "precondition_failed"]);
      for (const ofTheFile of ["repr-digest", "content-disposition", "etag"]) expect(answer.headers).not.toHaveProperty(ofTheFile);
    }
    const right: Record<string, string>[] = [{ "if-match": etag }, { "if-match": `"another", ${etag}` }, { "if-match": "*" }, { "if-unmodified-since": date }, { "if-match": etag, range: "bytes=0-" }];
    for (const given of right) {
      const answer = await send(site, path, { headers: given });
      expect([answer.status, answer.text], JSON.stringify(given)).toEqual(["range" in given ? 206 : 200, "0123456789"]);
    }
  });

  it("leaves it to nginx whether another precondition holds", async () => {
    const { headers: { etag = "" } } = await send(site, path);
    expect((await send(site, path, { headers: { range: "bytes=10-", "if-none-match": etag } })).status).toBe(304);
    const whole = await send(site, path, { headers: { range: "bytes=10-", "if-range": '"another"' } });
    expect([whole.status, whole.text]).toEqual([200, "0123456789"]);
  });
});
