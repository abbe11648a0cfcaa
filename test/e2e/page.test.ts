/** The page on a whole site of this machine: nginx, module and service, and uploads that are paused, cut and resumed. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BROWSER_MISSING, dropPaths, launchBrowser } from "../helpers/browser.ts";
import { until } from "../helpers/e2e-client.ts";
import { remove, sha256, temporaryFolder } from "../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";
import { expectNoViolations } from "../helpers/page-axe.ts";
import { makeMany, watchTasks } from "../helpers/page-crowd.ts";
import { offsetsOf, sendToTheMiddle } from "../helpers/page-sending.ts";
import { leastOf } from "../helpers/steady.ts";

const reason = withoutLocal() ?? BROWSER_MISSING ?? undefined;
const MiB = 1024 * 1024;
/** Where pictures of the page are left to be looked at; none are taken unless it is set. */
const pictures = process.env["SLIPWAY_PICTURES"];
/** Longest task of a page that answers, ms: a machine that is slow and busy has its part in it. */
const LONGEST_TASK_MS = 700;

describe.skipIf(reason !== undefined)(`the page on a local site${reason === undefined ? "" : `: skipped, ${reason}`}`, { timeout: 90_000 }, () => {
  let folder: string;
  let site: LocalTestSite;
  let browser: Browser;
  let context: BrowserContext | undefined;
  let errors: string[];

  beforeAll(async () => {
    folder = temporaryFolder();
    [site, browser] = await Promise.all([startTestSite({}), launchBrowser()]);
  }, 120_000);
  beforeEach(() => {
    site.clear();
    errors = [];
  });
  afterEach(() => context?.close());
  afterAll(async () => {
    await browser?.close();
    await site?.stop();
    remove(folder);
  });

  async function visit(options: BrowserContextOptions = {}): Promise<Page> {
    await context?.close();
    context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: { width: 1280, height: 800 }, ...options });
    return openPage();
  }

  async function openPage(): Promise<Page> {
    const page = await context!.newPage();
    page.setDefaultTimeout(30_000);
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await page.goto(site.url);
    return page;
  }

  function makeFile(name: string, size: number): { readonly path: string; readonly name: string; readonly digest: string } {
    const content = randomBytes(size);
    writeFileSync(join(folder, name), content);
    return { path: join(folder, name), name, digest: sha256(content) };
  }

  const line = (page: Page, name: string) => page.locator("#items > li", { hasText: name });
  const press = (page: Page, action: string, name: string) => page.getByRole("button", { name: `${action} ${name}` }).click();
  const isDone = (page: Page, name: string) => line(page, name).and(page.locator("[data-state=done]")).waitFor();

  async function begin(page: Page, file: { readonly path: string; readonly name: string }): ReturnType<typeof sendToTheMiddle> {
    await page.setInputFiles("#file", file.path);
    return sendToTheMiddle(page);
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (pictures === undefined) return;
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `${name}.png`), animations: "disabled" });
  }

  function expectFiled(file: { readonly name: string; readonly digest: string }): void {
    const { rows, incoming } = site.kept();
    expect(rows.map(({ checksums, state }) => [checksums["sha256"], state])).toEqual([[file.digest, "complete"]]);
    expect(sha256(readFileSync(join(site.site.store, "files", rows[0]!.target)))).toBe(file.digest);
    expect(incoming).toEqual([]);
  }

  it("pauses, goes on from there, and finds the digest that the server found", async () => {
    const file = makeFile("paused.bin", 64 * MiB);
    const page = await visit();
    const starts = offsetsOf(page);
    const setFree = await begin(page, file);
    await press(page, "Pause", file.name);
    await line(page, file.name).and(page.locator("[data-state=paused]")).waitFor();
    await expectNoViolations(page, "paused");
    await setFree();
    await press(page, "Resume", file.name);
    await isDone(page, file.name);
    expect(await line(page, file.name).textContent()).toContain("the same as on this device");
    expect(starts[0]).toBe(0);
    expect(starts[1]).toBeGreaterThan(MiB);
    expectFiled(file);
    await expectNoViolations(page, "done");
    expect(errors).toEqual([]);
  });

  it("goes on from the server's offset when the page was closed in the middle and the file is chosen again", async () => {
    const file = makeFile("cut.bin", 64 * MiB);
    const first = await visit();
    await begin(first, file);
    await first.close();

    const page = await openPage();
    const starts = offsetsOf(page);
    await page.locator("#interrupted-items > li", { hasText: file.name }).waitFor();
    expect(await page.locator("#interrupted-items").innerText()).toMatch(/goes on from [1-9]\d?%/);
    await expectNoViolations(page, "interrupted");
    await page.setInputFiles("#file", file.path);
    await page.click("#submit");
    await isDone(page, file.name);
    expect(await page.locator("#interrupted").isVisible()).toBe(false);
    expect(starts[0]).toBeGreaterThan(MiB);
    expectFiled(file);
    expect(errors).toEqual([]);
  });

  it.each(["Cancel", "Discard"])("frees the space of an upload at once: %s", async (how) => {
    const file = makeFile(`${how}.bin`, 64 * MiB);
    let page = await visit();
    await begin(page, file);
    expect(site.kept().incoming).not.toEqual([]);
    if (how === "Discard") {
      await page.close();
      page = await openPage();
    }
    await press(page, how, file.name);
    await site.expectNothingKept();
    await page.reload();
    expect(await page.locator("#interrupted").isVisible()).toBe(false);
  });

  it("keeps a description, and says which folder a file came from", async () => {
    mkdirSync(join(folder, "survey", "north"), { recursive: true });
    makeFile("survey/north/ridge.las", 2 * MiB);
    makeFile("survey/notes.txt", 100);
    const page = await visit();
    await page.setInputFiles("#folder", join(folder, "survey"));
    await page.fill("#description", "October");
    await page.click("#submit");
    await page.locator("#queue-summary", { hasText: "2 of 2 uploaded" }).waitFor();
    await page.goto(`${site.url}/list`);
    expect(await page.locator("td.description").allTextContents()).toEqual(["October", "October"]);
    expect((await page.locator("tbody th").allInnerTexts()).sort()).toEqual(["survey/north/ridge.las", "survey/notes.txt"]);
    await expectNoViolations(page, "list");
  });

  it("takes a folder of a thousand files and answers while it does", async () => {
    const many = makeMany(folder, 1000);
    const sendAll = async (): Promise<number> => {
      site.clear();
      const page = await visit();
      const longest = await watchTasks(page);
      await dropPaths(page, "#drop", [many]);
      await page.locator("#submit", { hasText: "Upload 1000 files" }).waitFor();
      await until("all lines are there", async () => (await page.locator("#items > li").count()) === 1000);
      await page.click("#submit");
      await page.locator("#queue-summary", { hasText: /[1-9]\d\d of 1000/ }).waitFor();
      await page.locator("#queue").scrollIntoViewIfNeeded();
      await picture(page, "thousand-files");
      const isOver = page.locator("#queue-summary", { hasText: /1000 of 1000 uploaded|not uploaded/ }).waitFor({ timeout: 80_000 });
      await isOver.catch(() => undefined);
      expect(await page.locator("#items > li:not([data-state=done])").allInnerTexts()).toEqual([]);
      await page.locator("#queue-summary", { hasText: "1000 of 1000 uploaded" }).waitFor();
      expect(site.kept().rows).toHaveLength(1000);
      expect(site.kept().rows.every(({ state }) => state === "complete")).toBe(true);
      return longest();
    };
    expect(await leastOf(LONGEST_TASK_MS, sendAll), "milliseconds").toBeLessThan(LONGEST_TASK_MS);
    expect(errors).toEqual([]);
  }, 240_000);

  it("takes ten thousand files and answers while they are sent", async () => {
    const many = makeMany(folder, 10_000);
    const beginAll = async (): Promise<number> => {
      const page = await visit();
      const longest = await watchTasks(page);
      await dropPaths(page, "#drop", [many]);
      await page.locator("#submit", { hasText: "Upload 10,000 files" }).waitFor();
      await until("all lines are there", async () => (await page.locator("#items > li").count()) === 10_000);
      await page.click("#submit");
      await page.locator("#queue-summary", { hasText: /[2-9]\d\d of 10,000/ }).waitFor();
      return longest();
    };
    expect(await leastOf(LONGEST_TASK_MS, beginAll), "milliseconds").toBeLessThan(LONGEST_TASK_MS);
    expect(errors).toEqual([]);
  }, 240_000);

  it("sends a file from one tab at a time, and goes on in the other when it is paused", async () => {
    const file = makeFile("tabs.bin", 64 * MiB);
    const first = await visit();
    await begin(first, file);
    const second = await openPage();
    const starts = offsetsOf(second);
    await second.setInputFiles("#file", file.path);
    await second.click("#submit");
    await line(second, file.name).and(second.locator("[data-state=failed]")).waitFor();
    expect(await line(second, file.name).innerText()).toMatch(/another tab or window[^]*goes on from where it stands/);
    // A tab in the background is not painted, and a click waits for that.
    await first.bringToFront();
    await press(first, "Pause", file.name);
    await line(first, file.name).and(first.locator("[data-state=paused]")).waitFor();
    await second.bringToFront();
    await press(second, "Retry", file.name);
    await isDone(second, file.name);
    expect(starts[0]).toBeGreaterThan(MiB);
    expectFiled(file);
  });

  it.each<[string, BrowserContextOptions]>([
    ["desktop", {}],
    ["dark", { colorScheme: "dark" }],
    ["phone", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
  ])("shows files in every state, and breaks no rule of accessibility: %s", async (name, options) => {
    const [gone, done, paused, ready] = [makeFile("night 11.fits", 2000), makeFile("ridge survey.las", 100_000), makeFile("telescope night 12.fits", 64 * MiB), makeFile("notes.txt", 400)];
    const page = await visit(options);
    await page.setInputFiles("#file", [gone, paused, done].map(({ path }) => path));
    remove(gone.path);
    await page.fill("#description", "October campaign");
    await sendToTheMiddle(page, pictures === undefined ? undefined : 0.3);
    await line(page, gone.name).and(page.locator("[data-state=failed]")).waitFor();
    await isDone(page, done.name);
    await page.locator("#queue").evaluate((section) => section.scrollIntoView());
    await picture(page, `${name}-uploading`);
    await press(page, "Pause", paused.name);
    await page.setInputFiles("#file", ready.path);
    await line(page, ready.name).waitFor();
    await expectNoViolations(page, name);
    expect(await line(page, gone.name).innerText()).toMatch(/can no longer read[^]*choose it again/);
    await picture(page, `${name}-error`);
    await page.evaluate(() => scrollTo(0, 0));
    await picture(page, `${name}-form`);
    await press(page, "Cancel", paused.name);
    await page.goto(`${site.url}/list`);
    await picture(page, `${name}-list`);
  });

  it.each([
    ["de-AT", "de", "Dateien hochladen", "1 Datei hochladen", "Hochgeladen"],
    ["fr-CH", "fr", "Envoyer des fichiers", "Envoyer 1 fichier", "Envoyé"],
  ])("speaks the browser's language: %s", async (locale, language, heading, button, done) => {
    const file = makeFile(`${language}.txt`, 500);
    const page = await visit({ locale });
    expect(await page.locator("html").getAttribute("lang")).toBe(language);
    expect(await page.locator("h1").textContent()).toBe(heading);
    await page.setInputFiles("#file", file.path);
    await page.getByRole("button", { name: button, exact: true }).click();
    await isDone(page, file.name);
    expect(await line(page, file.name).locator(".item-status").textContent()).toBe(done);
    await expectNoViolations(page, language);
    await picture(page, `language-${language}`);
    const gone = makeFile("gone-for-good.txt", 10);
    await page.setInputFiles("#file", gone.path);
    remove(gone.path);
    await page.click("#submit");
    await line(page, gone.name).and(page.locator("[data-state=failed]")).waitFor();
    // On the smallest of phones two long buttons leave the name its room, and nothing of the list is cut off.
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await line(page, gone.name).locator(".item-title").evaluate((title) => title.clientWidth)).toBeGreaterThan(120);
    await page.goto(`${site.url}/list`);
    expect(await page.locator("tbody time").evaluate((time) => time.closest(".card")!.getBoundingClientRect().right - time.getBoundingClientRect().right)).toBeGreaterThan(0);
    await expectNoViolations(page, `${language}, list`);
    // Chosen by hand it stays, whatever the browser says.
    await page.getByRole("link", { name: "English" }).click();
    await page.locator("html[lang=en]").waitFor();
    await page.goto(site.url);
    expect(await page.locator("h1").textContent()).toBe("Upload files");
  });

  it.each<[string, BrowserContextOptions]>([
    ["light", {}],
    ["dark", { colorScheme: "dark" }],
    ["phone", { viewport: { width: 390, height: 844 } }],
  ])("breaks no rule of accessibility on any page: %s", async (name, options) => {
    const page = await visit(options);
    await expectNoViolations(page, `home, ${name}`);
    for (const path of ["/list", "/no-such-page"]) {
      await page.goto(site.url + path);
      await expectNoViolations(page, `${path}, ${name}`);
    }
  });
});
