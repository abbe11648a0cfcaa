import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { form, json, send, type Target, until } from "../helpers/e2e-client.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";

const reason = withoutLocal();
describe.skipIf(reason)(`e2e: progress${reason ? ` (skipped: ${reason})` : ""}`, { timeout: 120_000 }, () => {
  let site: LocalTestSite;
  beforeAll(async () => {
    site = await startTestSite({});
  }, 300_000);
  afterAll(() => site?.stop());

  const receiving = async (target: Target): Promise<Record<string, unknown>[]> => json<{ uploads: Record<string, unknown>[] }>(await send(target, "/api/uploads?state=receiving")).uploads;

  it.each(["/progress", "/progress?X-Progress-ID=", "/progress?X-Progress-ID=a%2Fb", `/progress?X-Progress-ID=${"x".repeat(65)}`])("says what is missing at %s", async (path) => {
    const answer = await send(site, path);
    expect(json(answer)).toEqual({ error: { code: "no_progress_id", status: 400, message: expect.stringContaining("X-Progress-ID is missing") as unknown, hint: expect.stringContaining("/progress?X-Progress-ID=ID") as unknown } });
    expect((await send(site, path, { headers: { accept: "text/html" } })).text).toContain("X-Progress-ID is missing");
    // What is no fault of the id is told as everywhere.
    expect(json<{ error: { code: string } }>(await send(site, path, { method: "DELETE" })).error.code).toBe("method_not_allowed");
  });

  it("lists a form and a plain PUT while they come, and answers for the id of one", async () => {
    expect(await receiving(site)).toEqual([]);
    const { body, contentType } = form([{ name: "file", filename: "sea.jpg", content: Buffer.alloc(100_000, "x") }]);
    const open = (path: string, method: string, more: Record<string, string | number>) =>
      request(`${site.url}${path}`, { method, ca: site.ca, agent: false, headers: more });
    const posted = open("/upload?X-Progress-ID=mine", "POST", { "Content-Type": contentType, "Content-Length": body.length });
    posted.on("error", () => undefined).write(body.subarray(0, 50_000));
    const put = open("/upload/a%20b.dat", "PUT", { "Content-Length": 10 });
    put.on("error", () => undefined).write("12345");

    await until("both are listed", async () => {
      const found = (await receiving(site)).map(({ received }) => received);
      return found.length === 2 && found.includes(50_000) && found.includes(5);
    });
    const found = await receiving(site);
    expect(found).toContainEqual(expect.objectContaining({ id: null, size: body.length, received: 50_000, state: "receiving", expiresAt: null, protocol: "form" }));
    expect(found).toContainEqual(expect.objectContaining({ id: expect.stringMatching(/^[0-9a-f]{32}$/), name: "a b.dat", size: 10, received: 5, protocol: "raw" }));
    expect(json(await send(site, "/progress?X-Progress-ID=mine"))).toEqual({ state: "uploading", received: 50_000, size: body.length });
    // The list is a page without script too: what comes stands in its source.
    const { text: page } = await send(site, "/list");
    expect(page).toMatch(/id="under-way"[^>]*>/);
    expect(page).not.toMatch(/id="under-way"[^>]* hidden/);
    expect(page).toContain('class="item-name">a b.dat<');
    expect(page).toContain('class="item-name">sea.jpg<');

    put.destroy();
    posted.end(body.subarray(50_000));
    await until("the form is done", async () => json(await send(site, "/progress?X-Progress-ID=mine"))["state"] === "done");
    await until("nothing is listed", async () => (await receiving(site)).length === 0);
  });
});
