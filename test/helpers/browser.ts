/** Debian's Chromium through playwright-core, for tests that look at a page as a person does. */
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

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
