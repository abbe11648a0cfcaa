/** The pages in a real browser, with real files, against a real server (test/helpers/page-server.ts). */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BROWSER_MISSING, dragPaths, dropPaths, launchBrowser } from "../helpers/browser.ts";
import { startPageServer, type PageServer, type PageServerOptions } from "../helpers/page-server.ts";

const MB = 1_000_000;
const title = BROWSER_MISSING === null ? "the pages in Chromium" : `the pages in Chromium (SKIPPED: ${BROWSER_MISSING})`;

describe.skipIf(BROWSER_MISSING !== null)(title, { timeout: 90_000 }, () => {
  let browser: Browser;
  let folder: string;
  let server: PageServer;
  let page: Page;
  /** What the page itself did wrong: broken policy, exceptions. */
  let faults: string[];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "slipway-web-"));
    faults = [];
  });
  afterEach(async () => {
    await page.context().close();
    await server.close();
    await rm(folder, { recursive: true });
    expect(faults).toEqual([]);
  });

  async function open(path = "/", options: PageServerOptions = {}, context: BrowserContextOptions = {}): Promise<void> {
    server = await startPageServer(options);
    const opened = await browser.newContext({ timezoneId: "Asia/Tokyo", locale: "en-GB", ...context });
    await opened.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.origin });
    page = await opened.newPage();
    page.setDefaultTimeout(30_000);
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) faults.push(message.text());
    });
    await page.goto(server.origin + path);
  }

  async function file(name: string, bytes: number): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, Buffer.alloc(bytes, 0x61));
    return path;
  }

  const item = (name: string) => page.locator(".item", { hasText: name });
  const state = (name: string) => item(name).getAttribute("data-state");
  const reaches = async (name: string, wanted: string): Promise<void> => {
    await item(name).and(page.locator(`[data-state=${wanted}]`)).waitFor();
  };

  it("uploads two dropped files, shows progress, and both stand in the list", async () => {
    await open();
    server.held.add("one.bin");
    await dropPaths(page, "#drop", [await file("one.bin", 30 * MB), await file("two.bin", 2 * MB)]);
    expect(await page.locator("#submit").textContent()).toBe("Upload 2 files");
    await page.fill("#description", "Both of <them>");
    await page.click("#submit");

    await reaches("two.bin", "done");
    await page.waitForFunction(() => Number(document.querySelector<HTMLProgressElement>("[data-state=sending] progress")?.value) > 0);
    await page.locator(".item-status", { hasText: /of 30\sMB · \d+% · .*\/s/ }).waitFor();
    expect(await item("one.bin").locator("progress").evaluate((bar: HTMLProgressElement) => bar.value)).toBeLessThan(1);

    server.held.clear();
    await reaches("one.bin", "done");
    expect(server.posts.map(({ accept }) => accept)).toEqual(["application/json", "application/json"]);
    for (const { body } of server.posts) expect(body()).toMatch(/name="submit"\r\n\r\nUpload\r\n/);

    await page.click("#queue-link");
    await page.waitForURL(/\/list\?new=/);
    expect(await page.locator("tr.new").count()).toBe(2);
    expect((await page.locator("tbody th bdi").allTextContents()).sort()).toEqual(["one.bin", "two.bin"]);
    expect(await page.locator("td.description").first().textContent()).toBe("Both of <them>");
  });

  it("runs at most two uploads at a time and all of them in the end", async () => {
    await open();
    const names = ["a.bin", "b.bin", "c.bin", "d.bin", "e.bin"];
    for (const name of names) server.held.add(name);
    await page.setInputFiles("#file", await Promise.all(names.map((name) => file(name, MB))));
    await page.click("#submit");
    await expect.poll(() => server.posts.length, { timeout: 30_000 }).toBe(2);
    const waiting = (await Promise.all(names.map(state))).map((kind) => kind === "queued");
    expect(waiting).toEqual([false, false, true, true, true]);
    server.held.clear();
    await page.locator("#queue-summary", { hasText: "5 of 5 uploaded" }).waitFor();
    expect(server.atOnceMax()).toBe(2);
  });

  it("cancels one file, leaves the other alone, and sends it after a retry", async () => {
    await open();
    server.held.add("long.bin");
    await page.setInputFiles("#file", [await file("long.bin", 30 * MB), await file("short.bin", 1000)]);
    await page.click("#submit");
    await reaches("short.bin", "done");
    await page.getByRole("button", { name: "Cancel long.bin" }).click();
    await reaches("long.bin", "cancelled");
    expect(server.uploads.map(({ name }) => name)).toEqual(["short.bin"]);
    // Whoever pressed Cancel by keyboard goes on from there.
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Retry long.bin");

    server.held.clear();
    await page.keyboard.press("Enter");
    await reaches("long.bin", "done");
    expect(server.uploads.map(({ name }) => name).sort()).toEqual(["long.bin", "short.bin"]);
  });

  it("shows the server's own sentences beside the file, and they stay", async () => {
    await open();
    server.refused.add("full.bin");
    await page.setInputFiles("#file", [await file("full.bin", 1000), await file("fine.bin", 1000)]);
    await page.click("#submit");
    await reaches("full.bin", "failed");
    await reaches("fine.bin", "done");
    const text = await item("full.bin").innerText();
    for (const part of ["The disk of the site is full.", "make room", "Request 0123456789abcdef"]) expect(text).toContain(part);

    server.refused.clear();
    await page.getByRole("button", { name: "Retry full.bin" }).click();
    await reaches("full.bin", "done");
    expect(await item("full.bin").innerText()).not.toContain("disk");
  });

  it("shows the sentences of a server that refuses in the middle and closes", async () => {
    await open();
    server.refusedEarly.add("early.bin");
    await page.setInputFiles("#file", await file("early.bin", 60 * MB));
    await page.click("#submit");
    await reaches("early.bin", "failed");
    expect(await item("early.bin").innerText()).toContain("The disk of the site is full.");
  });

  it("says how far it came when the server closes the connection", async () => {
    await open();
    server.cut.add("cut.bin");
    await page.setInputFiles("#file", await file("cut.bin", 30 * MB));
    await page.click("#submit");
    await reaches("cut.bin", "failed");
    expect(await item("cut.bin").innerText()).toMatch(/The connection was closed after .* of 30\sMB\./);
    server.cut.clear();
    await page.getByRole("button", { name: "Retry cut.bin" }).click();
    await reaches("cut.bin", "done");
  });

  it("says that the server cannot be reached", async () => {
    await open();
    await page.setInputFiles("#file", await file("lost.bin", 1000));
    await server.close();
    await page.click("#submit");
    await reaches("lost.bin", "failed");
    expect(await item("lost.bin").innerText()).toContain("The server could not be reached.");
    server = await startPageServer();
  });

  it("says that a file was changed or removed after it was chosen", async () => {
    await open();
    const path = await file("gone.bin", 1000);
    await page.setInputFiles("#file", path);
    await rm(path);
    await page.click("#submit");
    await reaches("gone.bin", "failed");
    expect(await item("gone.bin").innerText()).toContain("can no longer read the file");
  });

  it("refuses a file over the limit and a folder before sending anything", async () => {
    await open("/", { maxFileSize: MB });
    await mkdir(join(folder, "campaign"));
    await dropPaths(page, "#drop", [await file("big.bin", MB + 1), join(folder, "campaign"), await file("ok.bin", MB)]);
    await reaches("big.bin", "failed");
    expect(await item("big.bin").innerText()).toMatch(/this site takes up to 1\s000\s000\sbytes a file/);
    expect(await item("campaign").first().innerText()).toContain("is a folder");
    await page.click("#submit");
    await reaches("ok.bin", "done");
    expect(server.posts.map(({ fileName }) => fileName)).toEqual(["ok.bin"]);
    expect(await page.getByRole("button", { name: "Retry big.bin" }).count()).toBe(0);
  });

  it("shows where files may be dropped while they are held over the page, and stops when they are not", async () => {
    await open();
    const path = await file("held.bin", 10);
    const isOver = () => page.locator("#drop").evaluate((zone) => zone.classList.contains("is-over"));
    await dragPaths(page, "h1", [path]);
    expect(await isOver()).toBe(true);
    await page.mouse.move(5, 5);
    expect(await isOver()).toBe(false);

    // Beside the zone counts too: the browser would open the file in place of the page.
    const drop = await dragPaths(page, "h1", [path]);
    await drop();
    await reaches("held.bin", "ready");
    expect(await isOver()).toBe(false);
    expect(page.url()).toBe(`${server.origin}/`);
  });

  it("sends file names as they are and shows them as text", async () => {
    await open();
    const names = ["<b>bold & 'so'.txt", "שלום עולם.txt", "\u{1f4c4} ünï.txt", "turn\u202etxt.exe"];
    await page.setInputFiles("#file", await Promise.all(names.map((name) => file(name, 10))));
    await page.click("#submit");
    await page.locator("#queue-summary", { hasText: "4 of 4 uploaded" }).waitFor();
    expect(server.posts.map(({ fileName }) => fileName).sort()).toEqual([...names].sort());
    const shown = names.map((name) => name.replace("\u202e", "\ufffd"));
    expect(await page.locator(".item-name").allTextContents()).toEqual(shown);
    await page.click("#queue-link");
    expect((await page.locator("tbody th bdi").allTextContents()).sort()).toEqual(shown.sort());
  });

  it("can be used by keyboard alone, with the focus always in sight", async () => {
    await open();
    const path = await file("keys.bin", 1000);
    // Asked for early: Chromium must know that the test answers in place of a dialog before the key is pressed.
    const chosen = page.waitForEvent("filechooser");
    const stops: string[] = [];
    for (let press = 0; press < 6; press += 1) {
      await page.keyboard.press("Tab");
      stops.push(await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        const ring = element.id === "file" ? (element.parentElement as HTMLElement) : element;
        const { outlineStyle, outlineWidth } = getComputedStyle(ring);
        return `${element.id || (element.textContent ?? "").trim()} ${outlineStyle} ${outlineWidth}`;
      }));
    }
    const ring = "solid 3px";
    expect(stops).toEqual([
      `Skip to the content ${ring}`,
      `slipway ${ring}`,
      `Upload ${ring}`,
      `Files ${ring}`,
      `file ${ring}`,
      `description ${ring}`,
    ]);
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    const chooser = await chosen;
    expect(chooser.isMultiple()).toBe(true);
    await chooser.setFiles(path);
    await page.keyboard.press("Tab");
    await page.keyboard.type("by hand");
    await page.keyboard.press("Enter");
    await reaches("keys.bin", "done");
    expect(server.uploads[0]?.description).toBe("by hand");
  });

  it("tells screen readers what happens", async () => {
    await open();
    const live = page.locator("#live[aria-live=polite]");
    await page.setInputFiles("#file", await file("said.bin", 1000));
    await live.and(page.locator(":text('1 file added')")).waitFor({ state: "attached" });
    await page.click("#submit");
    await live.and(page.locator(":text('said.bin uploaded')")).waitFor({ state: "attached" });
  });

  it("copies the whole digest, and the command with this site's address", async () => {
    await open();
    await page.setInputFiles("#file", await file("sum.bin", 1000));
    await page.click("#submit");
    await page.getByRole("button", { name: "Copy the SHA-256 of sum.bin" }).click();
    await page.locator("button", { hasText: "Copied" }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(server.uploads[0]?.checksums.sha256);

    await page.click("summary");
    await page.getByRole("button", { name: "Copy the command" }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText()), { timeout: 30_000 }).toBe(
      `curl --cacert CA -F file=@FILE -F terminal=yes ${server.origin}/upload`,
    );
  });

  it("asks before the page is left while files are under way, and only then", async () => {
    await open();
    server.held.add("stay.bin");
    await page.setInputFiles("#file", await file("stay.bin", 30 * MB));
    await page.click("#submit");
    await reaches("stay.bin", "sending");
    const [dialog] = await Promise.all([page.waitForEvent("dialog"), page.reload({ timeout: 500 }).catch(() => undefined)]);
    expect(dialog.type()).toBe("beforeunload");
    await dialog.dismiss();
    server.held.clear();
    await reaches("stay.bin", "done");
    await page.goto(`${server.origin}/list`);
  });

  it("works without JavaScript", async () => {
    await open("/", {}, { javaScriptEnabled: false });
    await page.setInputFiles("#file", await file("plain.bin", 1000));
    await page.fill("#description", "no script");
    await page.click("#submit");
    await page.waitForURL(/\/list\?new=/);
    expect(await page.locator("tr.new bdi").first().textContent()).toBe("plain.bin");
    expect(await page.locator("td time").textContent()).toMatch(/ UTC$/);
    expect(await page.locator("button[data-copy]").isVisible()).toBe(false);
  });

  it("lists times in the reader's zone, searches, and goes on to older files", async () => {
    await open("/list");
    expect(await page.locator("main").innerText()).toContain("No files yet");
    for (let index = 0; index < 12; index += 1) {
      const id = `ID${String(index).padStart(2, "0")}`;
      const name = index === 11 ? "needle.bin" : `file${index}.bin`;
      server.uploads.push({ id, name, size: 1, contentType: null, checksums: {}, description: null, completedAt: "2026-01-31T20:00:00Z", state: "complete" });
    }
    await page.reload();
    expect(await page.locator("tbody tr").count()).toBe(10);
    expect(await page.locator("time").first().textContent()).toMatch(/1 Feb 2026,? (at )?05:00/);
    expect(await page.locator("time").first().getAttribute("title")).toBe("2026-01-31 20:00 UTC");
    await page.getByRole("link", { name: "Older" }).click();
    expect(await page.locator("tbody tr").count()).toBe(2);
    await page.fill("#q", "needle");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=needle/);
    expect(await page.locator("tbody th bdi").allTextContents()).toEqual(["needle.bin"]);
    await page.fill("#q", "<nothing>");
    await page.keyboard.press("Enter");
    await page.locator("text=No file matches “<nothing>”").waitFor();
  });

  it.each([320, 390, 768, 1280])("fits a screen %d px wide without scrolling sideways", async (width) => {
    await open("/", {}, { viewport: { width, height: 800 } });
    server.refused.add("no.bin");
    const long = `${"a".repeat(180)}.bin`;
    await page.setInputFiles("#file", [await file(long, 1000), await file("no.bin", 1000)]);
    await page.fill("#description", "word".repeat(60));
    await page.click("#submit");
    await reaches("no.bin", "failed");
    await reaches(long, "done");
    await page.click("summary");
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await overflow()).toBe(0);
    for (const path of ["/list", "/nowhere", "/standalone-error"]) {
      await page.goto(server.origin + path);
      expect(await overflow(), path).toBe(0);
    }
  });

  it("follows the reader's dark mode and wish for less motion", async () => {
    await open("/", {}, { colorScheme: "dark", reducedMotion: "reduce" });
    const seen = await page.evaluate(() => ({
      ground: getComputedStyle(document.body).backgroundColor,
      transition: getComputedStyle(document.querySelector("#drop") as Element).transitionDuration,
    }));
    expect(seen.ground).toBe("rgb(18, 22, 25)");
    expect(parseFloat(seen.transition)).toBe(0);
  });

  it("shows a standalone error page with its style and not one request more", async () => {
    await open("/standalone-error");
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.reload();
    expect(asked.filter((path) => path !== "/favicon.ico")).toEqual(["/standalone-error"]);
    expect(await page.evaluate(() => getComputedStyle(document.querySelector(".card") as Element).borderRadius)).toBe("10px");
  });
});
