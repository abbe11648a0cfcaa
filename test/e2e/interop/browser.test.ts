/** Libraries of others in Chromium against a whole site: each is cut once in the middle of its file. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { BROWSER_MISSING, launchBrowser } from "../../helpers/browser.ts";
import { until } from "../../helpers/e2e-client.ts";
import { withoutLocal } from "../../helpers/e2e-local.ts";
import { blueimpPage, nodeClients, uppyPage, withoutClients } from "./clients.ts";
import { makeRig, type Rig, TIMEOUT_MS } from "./rig.ts";

const skip = withoutLocal() ?? BROWSER_MISSING ?? (await withoutClients(nodeClients));
/** Chromium repeats a request by itself when its connection breaks; one that is refused then has a window of HTTP/2 behind it, 4 of 32 MiB. */
const GOES_ON = 1.2;
/** A segment that is cut is sent again as a whole, and the first one once more by a new page: of 32 MiB two times 4, or three when Chromium sends again. */
const SEGMENTS_GO_ON = 1.4;

describe.skipIf(skip !== undefined)(`libraries of others in a browser${skip === undefined ? "" : `: skipped, ${skip}`}`, () => {
  let rig: Rig;
  let clients: string;
  let browser: Browser;
  /** Another site, whose pages upload to ours. */
  let other: Server;
  let otherPage = "";
  let origin: string;

  beforeAll(async () => {
    other = createServer((_, answer) => void answer.setHeader("Content-Type", "text/html").end(otherPage));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    origin = `http://localhost:${(other.address() as AddressInfo).port}`;
    [clients, rig, browser] = await Promise.all([nodeClients(), makeRig({ upload: { corsOrigins: [origin] } }), launchBrowser()]);
  }, 240_000);
  afterEach(() => rig?.clear());
  afterAll(async () => {
    await browser?.close();
    other?.close();
    await rig?.stop();
  });

  async function choose(page: Page, address: string): Promise<string> {
    await page.goto(address);
    await page.setInputFiles("#file", rig.path);
    const result = await page.waitForFunction(() => (globalThis as unknown as { result?: string }).result, undefined, { timeout: TIMEOUT_MS });
    return (await result.jsonValue()) ?? "";
  }

  /** Chooses the file, and leaves the page when there was a cut: Chromium itself sends a request again after one. */
  async function begin(page: Page, address: string, cut: () => boolean): Promise<void> {
    await page.goto(address);
    await page.setInputFiles("#file", rig.path);
    await until("the line is cut", cut, TIMEOUT_MS / 1000);
    await page.goto("about:blank");
  }

  const newPage = async (): Promise<Page> => (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();

  it("Uppy on a page of another site goes on by itself", async () => {
    const { url, proxy } = await rig.line();
    otherPage = await uppyPage(clients, `${url}/tus/`);
    const page = await newPage();
    expect(await choose(page, origin)).toBe("whole");
    expect(await rig.expectWhole("@uppy/tus", proxy)).toBeLessThan(GOES_ON);
    await page.context().close();
  }, TIMEOUT_MS);

  it.each([["by itself", 3], ["on a new page", 0]] as const)("jQuery File Upload goes on %s", async (_, retries) => {
    const { url, proxy } = await rig.line();
    const html = await blueimpPage(clients, retries);
    const page = await newPage();
    // The page stands on the site itself, which has no page of this library.
    await page.route(`${url}/client.html`, (route) => route.fulfill({ contentType: "text/html", body: html }));
    if (retries === 0) await begin(page, `${url}/client.html`, () => proxy.cuts() === 1);
    expect(await choose(page, `${url}/client.html`)).toBe("whole");
    expect(await rig.expectWhole(`blueimp-file-upload, ${retries === 0 ? "new page" : "retry"}`, proxy)).toBeLessThan(SEGMENTS_GO_ON);
    await page.context().close();
  }, 2 * TIMEOUT_MS);
});
