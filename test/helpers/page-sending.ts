/** A page that sends a large file slowly until the test says otherwise: what is to be paused or cut in the middle waits for that. */
import type { Page } from "playwright-core";

/** Bytes a second: tens of MiB take longer than any test is kept waiting before it clicks. */
const SLOW = 2 * 1024 * 1024;

/** Ends the slowness, of requests under way too. */
type SetFree = () => Promise<void>;

/**
 * Has a page send slowly (Chrome DevTools Protocol, Network.emulateNetworkConditions): other pages are as fast as ever,
 * and so is what the site answers. Another speed would be one for requests to come: those under way then have none.
 */
export async function sendSlowly(page: Page): Promise<SetFree> {
  const session = await page.context().newCDPSession(page);
  const throttle = async (uploadThroughput: number): Promise<void> => {
    await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
  };
  await session.send("Network.enable");
  await throttle(SLOW);
  return () => throttle(-1);
}

/** Sends what was chosen, slowly, until so much of a large file is sent. @param part 0 to 1 */
export async function sendToTheMiddle(page: Page, part = 0.05): Promise<SetFree> {
  const setFree = await sendSlowly(page);
  await page.click("#submit");
  await page.waitForFunction((least) => Number(document.querySelector<HTMLProgressElement>("[data-state=sending] progress")?.value) > least, part);
  return setFree;
}

/** Where bodies of tus begin, as the page asks for it from now on. */
export function offsetsOf(page: Page): readonly number[] {
  const found: number[] = [];
  page.on("request", (request) => {
    if (request.method() === "PATCH") found.push(Number(request.headers()["upload-offset"]));
  });
  return found;
}
