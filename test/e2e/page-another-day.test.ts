/** A file of the page that is gone on with when the site has changed meanwhile: it was restarted, or knows the upload no more. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BROWSER_MISSING, launchBrowser } from "../helpers/browser.ts";
import { until } from "../helpers/e2e-client.ts";
import { remove, sha256, temporaryFolder } from "../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";
import { offsetsOf, sendToTheMiddle } from "../helpers/page-sending.ts";

const reason = withoutLocal() ?? BROWSER_MISSING ?? undefined;
const MiB = 1024 * 1024;

describe.skipIf(reason !== undefined)(`a file of the page on another day${reason === undefined ? "" : `: skipped, ${reason}`}`, { timeout: 120_000 }, () => {
  let folder: string;
  let site: LocalTestSite;
  let browser: Browser;
  let context: BrowserContext;
  const content = randomBytes(64 * MiB);
  const path = (): string => join(folder, "night.bin");

  beforeAll(async () => {
    folder = temporaryFolder();
    writeFileSync(path(), content);
    [site, browser] = await Promise.all([startTestSite({}), launchBrowser()]);
  }, 120_000);
  beforeEach(async () => {
    site.clear();
    context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB" });
  });
  afterEach(() => context.close());
  afterAll(async () => {
    await browser?.close();
    await site?.stop();
    remove(folder);
  });

  async function openPage(): Promise<Page> {
    const page = await context.newPage();
    await page.goto(site.url);
    return page;
  }

  async function expectFiled(page: Page): Promise<void> {
    await page.locator("#items > li[data-state=done]").waitFor({ timeout: 60_000 });
    const { rows } = site.kept();
    expect(rows.map(({ checksums, state }) => [checksums["sha256"], state])).toEqual([[sha256(content), "complete"]]);
    expect(sha256(readFileSync(join(site.site.store, "files", rows[0]!.target)))).toBe(sha256(content));
  }

  it.each([["has ended", () => site.expireSessions()], ["is gone", () => site.clear()]] as const)("is filed once when what was sent %s", async (_, lose) => {
    const first = await openPage();
    await first.setInputFiles("#file", path());
    await sendToTheMiddle(first);
    await first.close();

    const page = await openPage();
    const starts = offsetsOf(page);
    await page.locator("#interrupted-items > li", { hasText: "night.bin" }).waitFor();
    lose();
    await page.setInputFiles("#file", path());
    await page.click("#submit");
    await expectFiled(page);
    expect(starts[0]).toBe(0);
  });

  it("goes on from where it stood when the service was away for some seconds", async () => {
    const page = await openPage();
    const starts = offsetsOf(page);
    const heads: number[] = [];
    page.on("response", (response) => void (response.request().method() === "HEAD" && heads.push(response.status())));
    await page.setInputFiles("#file", path());
    const setFree = await sendToTheMiddle(page, 0.2);
    const service = site.site.service!;
    await service.kill();
    // The page loses its connections, and meets a site without its service.
    const { nginx } = site.site;
    await nginx.kill();
    nginx.start();
    await until("the page has asked a site without its service", () => heads.some((status) => status >= 500));
    service.start();
    await site.site.ready();
    await setFree();
    await expectFiled(page);
    expect(starts.at(-1)).toBeGreaterThan(MiB);
  });
});
