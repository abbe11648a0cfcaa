/** Files of the page whose connections break on a whole site: all arrive, none twice, each in its folder. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BROWSER_MISSING, launchBrowser } from "../helpers/browser.ts";
import { type CuttingProxy, startCuttingProxy } from "../helpers/cutting-proxy.ts";
import { json, send, until } from "../helpers/e2e-client.ts";
import { remove, temporaryFolder } from "../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";
import { makeMany } from "../helpers/page-crowd.ts";

const reason = withoutLocal() ?? BROWSER_MISSING ?? undefined;
const KiB = 1024;
/** Connections are cut at other bytes with another seed. */
const seed = Number(process.env["SLIPWAY_SEED"] ?? 7);

describe.skipIf(reason !== undefined)(`files of the page that break${reason === undefined ? "" : `: skipped, ${reason}`}`, { timeout: 120_000 }, () => {
  let folder: string;
  let site: LocalTestSite;
  let browser: Browser;
  let context: BrowserContext;
  let proxy: CuttingProxy | undefined;

  beforeAll(async () => {
    folder = temporaryFolder();
    [site, browser] = await Promise.all([startTestSite({}), launchBrowser()]);
  }, 120_000);
  beforeEach(async () => {
    site.clear();
    context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB" });
  });
  afterEach(async () => {
    await context.close();
    await proxy?.stop();
    proxy = undefined;
  });
  afterAll(async () => {
    await browser?.close();
    await site?.stop();
    remove(folder);
  });

  async function choose(url: string, chosen: string): Promise<Page> {
    const page = await context.newPage();
    await page.goto(url);
    await page.setInputFiles("#folder", chosen);
    await page.locator("#submit", { hasText: /Upload \d/ }).waitFor();
    return page;
  }

  async function expectAllOnce(page: Page, count: number): Promise<void> {
    const isOver = page.locator("#queue-summary", { hasText: new RegExp(`${count} of ${count} uploaded|not uploaded`) }).waitFor({ timeout: 75_000 });
    await isOver.catch(() => undefined);
    expect(await page.locator("[data-state=failed]").allInnerTexts()).toEqual([]);
    // What nginx still waits for ends with its connection.
    await proxy?.stop();
    await until("nothing is under way", () => site.kept().incoming.length === 0).catch(() => undefined);
    const { rows, incoming } = site.kept();
    expect(rows.map(({ state }) => state)).toEqual(Array.from({ length: count }, () => "complete"));
    expect(incoming).toEqual([]);
  }

  it("arrive once each through a connection that is cut again and again", async () => {
    const many = makeMany(join(folder, "cut"), 60, 20 * KiB);
    proxy = await startCuttingProxy({ port: Number(new URL(site.url).port), seed, cuts: 8, cutAfter: [30 * KiB, 150 * KiB] });
    const page = await choose(`https://localhost:${proxy.port}`, many);
    await page.click("#submit");
    await expectAllOnce(page, 60);
    expect(proxy.cuts()).toBe(8);
  });

  // Now and then Chromium never says what became of a request whose connection was reset.
  it.each(["reset", "late reset"] as const)("arrive once each, small and large, through connections that end by %s", async (cutBy) => {
    const both = join(folder, cutBy);
    makeMany(both, 50, 20 * KiB);
    makeMany(both, 10, 3 * KiB * KiB);
    proxy = await startCuttingProxy({ port: Number(new URL(site.url).port), seed, cuts: 14, cutAfter: [30 * KiB, 3000 * KiB], cutBy });
    const page = await choose(`https://localhost:${proxy.port}`, both);
    await page.click("#submit");
    await expectAllOnce(page, 60);
    expect(proxy.cuts()).toBe(14);
  });

  it("arrive although their connection dies without a word", async () => {
    // More than nginx lets Chromium send before it has read.
    const silent = makeMany(join(folder, "silent"), 2, 10 * KiB * KiB);
    proxy = await startCuttingProxy({ port: Number(new URL(site.url).port), seed, cutBy: "silence", cuts: 1, cutAfter: [32 * KiB, 32 * KiB] });
    const page = await choose(`https://localhost:${proxy.port}`, silent);
    await page.click("#submit");
    await expectAllOnce(page, 2);
    expect(proxy.cuts()).toBe(1);
  });

  it("keep the folders that they lay in, small and large, and so does the list", async () => {
    mkdirSync(join(folder, "survey"), { recursive: true });
    makeMany(join(folder, "survey", "north"), 1);
    makeMany(join(folder, "survey", "south"), 1, 2 * KiB * KiB);
    const page = await choose(site.url, join(folder, "survey"));
    await page.click("#submit");
    await expectAllOnce(page, 2);
    const { uploads } = json<{ uploads: { folder: string; name: string }[] }>(await send(site, "/api/uploads"));
    const wanted = ["survey/north/many-1", "survey/south/many-1"];
    expect(uploads.map((one) => one.folder).sort()).toEqual(wanted);
    await page.goto(`${site.url}/list`);
    expect((await page.locator("tbody th a").allInnerTexts()).sort()).toEqual(wanted.map((path) => `${path}/frame-00000.raw`));
  });
});
