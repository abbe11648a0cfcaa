/** The page and a disk to which the last bytes of a file do not get for longer than the page waits. */
import { join } from "node:path";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROWSER_MISSING, launchBrowser } from "../helpers/browser.ts";
import { send, until } from "../helpers/e2e-client.ts";
import { remove, temporaryFolder } from "../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";
import { SlowDisk } from "../helpers/hold.ts";
import { makeMany } from "../helpers/page-crowd.ts";

const reason = withoutLocal() ?? BROWSER_MISSING ?? undefined;
const MiB = 1024 * 1024;

describe.skipIf(reason !== undefined)(`the page and a slow disk${reason === undefined ? "" : `: skipped, ${reason}`}`, { timeout: 90_000 }, () => {
  let folder: string;
  let site: LocalTestSite;
  let disk: SlowDisk;
  let browser: Browser;
  let context: BrowserContext;

  beforeAll(async () => {
    folder = temporaryFolder();
    [site, browser] = await Promise.all([startTestSite({}), launchBrowser()]);
    await site.site.nginx.stop(5000);
    disk = SlowDisk.start(site.site.nginx, join(folder, "disk"));
    await until("nginx answers", () => send(site, "/healthz").then(({ status }) => status === 200, () => false));
    context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB" });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await disk?.stop();
    await site?.stop();
    remove(folder);
  });

  it("breaks the request off after a minute and asks what became of it, and the file is filed once", async () => {
    const page = await context.newPage();
    const asked: string[] = [];
    page.on("request", (request) => {
      if (new URL(request.url()).pathname.startsWith("/tus/")) asked.push(request.method());
    });
    // The page's minute is not waited for.
    await page.clock.install();
    await page.goto(site.url);
    await page.setInputFiles("#folder", makeMany(folder, 1, 2 * MiB));
    await page.locator("#submit", { hasText: /Upload \d/ }).waitFor();
    disk.hold();
    await page.click("#submit");
    await until("nginx waits for the disk", () => disk.isAwaited);
    // Chromium tells the page every 100 ms how much it has sent, and waits less for a request that it has not sent yet.
    await page.locator("[data-state=finishing]").waitFor();
    await page.clock.runFor(59_000);
    expect(asked).toEqual(["POST", "PATCH"]);
    await page.clock.runFor(2000);
    await until("the page asks", () => asked.length > 2);
    // Nobody can tell it before the disk is done.
    await page.clock.runFor(5000);
    disk.release();
    await page.locator("#queue-summary", { hasText: "1 of 1 uploaded" }).waitFor({ timeout: 30_000 });
    expect(asked.slice(0, 3)).toEqual(["POST", "PATCH", "HEAD"]);
    const { rows, incoming } = site.kept();
    expect(rows).toMatchObject([{ state: "complete", size: 2 * MiB }]);
    expect(incoming).toEqual([]);
  });
});
