/** Debian's Chromium through playwright-core, for tests that look at a page as a person does. */
import { existsSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";

/** Where Debian puts it; another place can be given as SLIPWAY_CHROMIUM. */
export const CHROMIUM_PATH = process.env.SLIPWAY_CHROMIUM ?? "/usr/bin/chromium";

/** Why browser tests cannot run here, for a test's title; null when they can. */
export const BROWSER_MISSING: string | null = existsSync(CHROMIUM_PATH)
  ? null
  : `no Chromium at ${CHROMIUM_PATH}: apt-get install chromium, or set SLIPWAY_CHROMIUM`;

/** No sandbox, as tests run as root; nothing that asks for a network beyond the page. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
] as const;

/**
 * Starts a browser with an empty profile of its own; the caller closes it. For a site with a certificate of its
 * own CA, make contexts with `ignoreHTTPSErrors: true`.
 * @throws Playwright's error when Chromium does not start.
 */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM_PATH, headless: true, args: [...ARGUMENTS] });
}

/**
 * Holds files (or folders) of this machine over the middle of an element, through the browser's own input handling.
 * @param paths Absolute paths.
 * @returns Lets them go.
 * @throws Error when the element has no place on the page.
 */
export async function dragPaths(page: Page, selector: string, paths: readonly string[]): Promise<() => Promise<void>> {
  const target = page.locator(selector);
  await target.scrollIntoViewIfNeeded();
  const box = await target.boundingBox();
  if (box === null) throw new Error(`${selector}: not visible, nothing can be dropped on it`);
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  const send = (type: "dragEnter" | "dragOver" | "drop"): Promise<unknown> =>
    session.send("Input.dispatchDragEvent", { type, x: box.x + box.width / 2, y: box.y + box.height / 2, data });
  await send("dragEnter");
  await send("dragOver");
  return async () => {
    await send("drop");
    await session.detach();
  };
}

/** Drops files (or folders) on an element, as a file manager would; parameters and errors as in {@link dragPaths}. */
export async function dropPaths(page: Page, selector: string, paths: readonly string[]): Promise<void> {
  const drop = await dragPaths(page, selector, paths);
  await drop();
}
