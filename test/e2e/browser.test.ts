import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { BROWSER_MISSING, dropPaths, launchBrowser } from "../helpers/browser.ts";
import { records } from "../helpers/e2e-client.ts";
import { withoutDocker } from "../helpers/e2e-docker.ts";
import { remove, sha256, temporaryFolder } from "../helpers/e2e-files.ts";
import { deployDockerSite, type DeployedSite } from "../helpers/e2e-site.ts";
import { sendSlowly, sendToTheMiddle } from "../helpers/page-sending.ts";

const reason = withoutDocker() ?? BROWSER_MISSING ?? undefined;
const MiB = 1024 * 1024;
/** Where pictures of the pages are left to be looked at; none are taken unless it is set. */
const pictures = process.env["SLIPWAY_PICTURES"];

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

describe.skipIf(reason !== undefined)(`the deployed pages in Chromium${reason === undefined ? "" : `: skipped, ${reason}`}`, () => {
  let folder: string;
  let site: DeployedSite;
  let browser: Browser;
  let context: BrowserContext | undefined;

  beforeAll(async () => {
    folder = temporaryFolder();
    // A limit to run into.
    [site, browser] = await Promise.all([deployDockerSite({ upload: { limitRate: "16m", maxFileSize: "64m" } }), launchBrowser()]);
  }, 600_000);
  afterEach(() => context?.close());
  afterAll(async () => {
    await browser?.close();
    await site?.remove();
    remove(folder);
  }, 120_000);

  const makeFile = (name: string, size: number): { path: string; name: string; sha256: string } => {
    const content = randomBytes(size);
    writeFileSync(join(folder, name), content);
    return { path: join(folder, name), name, sha256: sha256(content) };
  };

  /** A page whose own errors, and requests that its policy forbids, fail the test. */
  async function openPage(path = "/", options: Parameters<Browser["newContext"]>[0] = {}): Promise<{ page: Page; errors: string[] }> {
    context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: DESKTOP, ...options });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await page.goto(`${site.url}${path}`);
    return { page, errors };
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (pictures === undefined) return;
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  }

  const line = (page: Page, name: string) => page.locator("#items > li", { hasText: name });
  const row = (page: Page, name: string) => page.locator("table.files tbody tr", { hasText: name });

  it("takes two files dropped on the page, shows their progress, and lists both", async () => {
    const files = [makeFile("telescope night 12.fits", 24 * MiB), makeFile("Übersicht – Übergabe.pdf", 20 * MiB)];
    const { page, errors } = await openPage();
    await picture(page, "home-desktop");
    await dropPaths(page, "#drop", files.map(({ path }) => path));
    await page.locator("#items > li").nth(1).waitFor();
    await page.fill("#description", "Dropped on the page");

    const seen = new Set<number>();
    const between = (): number => [...seen].filter((percent) => percent > 0 && percent < 100).length;
    const setFree = await sendSlowly(page);
    await page.click("#submit");
    const bars = page.locator("#items progress");
    await bars.first().waitFor();
    let pictured = false;
    while ((await page.locator("#items > li", { hasText: "Uploaded" }).count()) < 2) {
      for (const bar of await bars.all()) {
        const { value, max } = await bar.evaluate((node: HTMLProgressElement) => ({ value: node.value, max: node.max }), undefined, { timeout: 500 }).catch(() => ({ value: 0, max: 1 }));
        seen.add(Math.round((value / max) * 100));
      }
      if (!pictured && [...seen].some((percent) => percent > 30)) {
        pictured = true;
        await picture(page, "progress-desktop");
      }
      if (between() > 3 && (pictured || pictures === undefined)) await setFree();
      await page.waitForTimeout(50);
    }
    expect(between()).toBeGreaterThan(3);
    for (const { name, sha256 } of files) expect(await line(page, name).textContent()).toContain(sha256);
    await picture(page, "done-desktop");

    await page.click("#queue-link");
    await page.waitForURL(/\/list/);
    for (const { name, sha256 } of files) {
      expect(await row(page, name).count()).toBe(1);
      expect(await row(page, name).locator("code.digest").textContent()).toBe(sha256);
      expect(await row(page, name).textContent()).toContain("Dropped on the page");
    }
    await picture(page, "list-desktop");
    expect(errors).toEqual([]);
    const kept = await records(site);
    expect(kept.map(({ name, checksums }) => [name, checksums["sha256"]]).sort()).toEqual(files.map(({ name, sha256 }) => [name, sha256]).sort());
  }, 120_000);

  it("gives a listed file back", async () => {
    const [first] = await records(site);
    const { page } = await openPage("/list");
    const [download] = await Promise.all([page.waitForEvent("download"), row(page, first!.name).locator("th a").click()]);
    expect(download.suggestedFilename()).toBe(first!.name);
    const path = join(folder, "download");
    await download.saveAs(path);
    expect(sha256(readFileSync(path))).toBe(first!.checksums["sha256"]);
  }, 60_000);

  it("can be used with the keyboard alone", async () => {
    const file = makeFile("keyboard.txt", 2000);
    const { page, errors } = await openPage();
    const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.id || (document.activeElement?.className ?? ""));
    const tabTo = async (id: string): Promise<void> => {
      for (let i = 0; i < 15 && (await focused()) !== id; i++) await page.keyboard.press("Tab");
      expect(await focused()).toBe(id);
    };
    // Asked for early: the browser is told asynchronously that the dialog is ours.
    const dialog = page.waitForEvent("filechooser");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("skip");
    await tabTo("file");
    await page.keyboard.press("Enter");
    await (await dialog).setFiles(file.path);
    await tabTo("description");
    await page.keyboard.type("Typed");
    await page.keyboard.press("Enter");
    await page.locator("#items > li", { hasText: "Uploaded" }).waitFor();
    await page.locator("#live", { hasText: "keyboard.txt uploaded" }).waitFor({ state: "attached" });
    expect((await records(site))[0]).toMatchObject({ name: "keyboard.txt", description: "Typed", checksums: { sha256: file.sha256 } });
    expect(errors).toEqual([]);
  }, 60_000);

  it("stops an upload on request and leaves nothing of it", async () => {
    const before = (await records(site)).length;
    const { page } = await openPage();
    await page.setInputFiles("#file", makeFile("stopped.bin", 48 * MiB).path);
    await sendToTheMiddle(page);
    await page.locator("#items [data-action=cancel]").first().click();
    await line(page, "stopped.bin").filter({ hasText: "Cancelled" }).waitFor();
    expect(await records(site)).toHaveLength(before);
  }, 60_000);

  it("refuses a file over the limit with a sentence that stays", async () => {
    const { page } = await openPage();
    await page.setInputFiles("#file", makeFile("too large.bin", 65 * MiB).path);
    const item = line(page, "too large.bin");
    await item.waitFor();
    await item.filter({ hasText: /this site takes/ }).waitFor();
    await picture(page, "error-desktop");
  }, 60_000);

  it("works without JavaScript", async () => {
    const file = makeFile("plain form.txt", 5000);
    const { page } = await openPage("/", { javaScriptEnabled: false });
    await page.setInputFiles("#file", file.path);
    await page.click("#submit");
    await page.waitForURL(/\/list\?new=/);
    expect(await row(page, file.name).locator("code.digest").textContent()).toBe(file.sha256);
    await picture(page, "list-without-script");
  }, 60_000);

  it.each([
    { what: "a phone", options: { viewport: PHONE, deviceScaleFactor: 2, isMobile: true, hasTouch: true } },
    { what: "a phone in dark mode", options: { viewport: PHONE, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: "dark" as const } },
    { what: "a dark desktop", options: { colorScheme: "dark" as const } },
  ])("fits $what", async ({ what, options }) => {
    for (const path of ["/", "/list", "/no-such-page"]) {
      const { page } = await openPage(path, options);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, `${path} is wider than the screen`).toBeLessThanOrEqual(0);
      const [background] = await page.evaluate(() => (/\d+/g.exec(getComputedStyle(document.body).backgroundColor) ?? ["255"]).map(Number));
      if (options.colorScheme === "dark") expect(background).toBeLessThan(64);
      else expect(background).toBeGreaterThan(192);
      await picture(page, `${what.replaceAll(" ", "-")}-${path.replaceAll("/", "") || "home"}`);
      await context?.close();
    }
  }, 60_000);
});
