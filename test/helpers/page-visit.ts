/** A visit to the pages: a server, a browser's page and a folder of files for each test, and what tests ask of them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { launchBrowser } from "./browser.ts";
import { startPageServer, type PageServer, type PageServerOptions } from "./page-server.ts";

/** One for each `describe`; what it holds is new in each test, once {@link PageVisit.open} has been called. */
export class PageVisit {
  folder = "";
  private opened: { readonly server: PageServer; readonly page: Page } | null = null;
  private browser: Browser | null = null;
  /** What the page itself did wrong: broken policy, exceptions. */
  private faults: string[] = [];

  constructor() {
    beforeAll(async () => {
      this.browser = await launchBrowser();
    });
    afterAll(async () => {
      await this.browser?.close();
    });
    beforeEach(async () => {
      this.folder = await mkdtemp(join(tmpdir(), "slipway-web-"));
      this.faults = [];
    });
    afterEach(async () => {
      await this.opened?.page.context().close();
      await this.opened?.server.close();
      this.opened = null;
      await rm(this.folder, { recursive: true });
      expect(this.faults).toEqual([]);
    });
  }

  get page(): Page {
    return this.now().page;
  }

  get server(): PageServer {
    return this.now().server;
  }

  /** Starts a server and loads one of its pages in a new, empty context. */
  async open(path = "/", options: PageServerOptions = {}, context: BrowserContextOptions = {}): Promise<void> {
    if (this.browser === null) throw new Error("page visit: no browser; its launch failed");
    const server = await startPageServer(options);
    const opened = await this.browser.newContext({ timezoneId: "Asia/Tokyo", locale: "en-GB", ...context });
    const page = await opened.newPage();
    this.opened = { server, page };
    await opened.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.origin });
    page.setDefaultTimeout(30_000);
    page.on("pageerror", (error) => this.faults.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) this.faults.push(message.text());
    });
    await page.goto(server.origin + path);
  }

  /** Makes a file of some bytes in the test's folder. @returns Its path. */
  async file(name: string, bytes: number): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, Buffer.alloc(bytes, 0x61));
    return path;
  }

  /** The line of a file in the queue. */
  item(name: string): Locator {
    return this.page.locator(".item", { hasText: name });
  }

  /** The state of a file in the queue. */
  state(name: string): Promise<string | null> {
    return this.item(name).getAttribute("data-state");
  }

  /** Waits until a file in the queue has a state. */
  async reaches(name: string, state: string): Promise<void> {
    await this.item(name).and(this.page.locator(`[data-state=${state}]`)).waitFor();
  }

  private now(): { readonly server: PageServer; readonly page: Page } {
    if (this.opened === null) throw new Error("page visit: nothing is open; call open() first");
    return this.opened;
  }
}
