/** The list in a real browser while files come. */
import { describe, expect, it } from "vitest";
import type { UploadView } from "../../web/pages.ts";
import { BROWSER_MISSING } from "../helpers/browser.ts";
import { PageVisit } from "../helpers/page-visit.ts";
import { leastOf, timeOf } from "../helpers/steady.ts";

const title = BROWSER_MISSING === null ? "the open list in Chromium" : `the open list in Chromium (SKIPPED: ${BROWSER_MISSING})`;

describe.skipIf(BROWSER_MISSING !== null)(title, { timeout: 90_000 }, () => {
  const visit = new PageVisit();
  const names = () => visit.page.locator("tbody th bdi").allTextContents();

  function upload(name: string): UploadView {
    const number = visit.server.uploads.length;
    const checksums = { sha256: String(number).repeat(64).slice(0, 64) };
    return { id: `ID${number}`, name, size: 1000, contentType: null, checksums, description: null, completedAt: "2026-01-31T20:00:00Z", state: "complete" };
  }

  const arrives = (name: string): number => visit.server.uploads.unshift(upload(name));

  it("shows the first file, and the next, without a reload, and keeps what the reader is at", async () => {
    await visit.open("/list");
    await visit.page.evaluate(() => Object.assign(globalThis, { same: document }));
    arrives("first.bin");
    await visit.page.locator("tbody bdi", { hasText: "first.bin" }).waitFor();
    expect(await visit.page.locator("time").textContent()).toMatch(/1 Feb 2026,? (at )?05:00/);

    await visit.page.getByRole("button", { name: "Copy the SHA-256 of first.bin" }).focus();
    arrives("second.bin");
    await visit.page.locator("tbody tr.arrived", { hasText: "second.bin" }).waitFor();
    expect(await names()).toEqual(["second.bin", "first.bin"]);
    expect(await visit.page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Copy the SHA-256 of first.bin");
    await visit.page.locator("#live", { hasText: "New in the list: second.bin" }).waitFor({ state: "attached" });
    await visit.page.getByRole("button", { name: "Copy the SHA-256 of second.bin" }).click();
    expect(await visit.page.evaluate(() => navigator.clipboard.readText())).toBe("1".repeat(64));
    expect(await visit.page.evaluate(() => (globalThis as unknown as { same: Document }).same === document)).toBe(true);
  });

  it("is told in a few bytes that nothing has changed", async () => {
    await visit.open("/list");
    arrives("only.bin");
    await expect.poll(() => visit.server.listAnswers.slice(-2), { timeout: 30_000 }).toEqual([304, 304]);
    expect(await names()).toEqual(["only.bin"]);
  });

  it("shows what is under way, its progress, and takes it away when it is done", async () => {
    await visit.open("/list");
    const startedAt = "2026-01-31T20:00:00Z";
    visit.server.underWay.push({ name: "long.bin", size: 4_000_000, received: 1_000_000, startedAt });
    const bar = visit.page.getByRole("progressbar", { name: "Progress of long.bin" });
    await bar.waitFor();
    expect(await bar.evaluate((element: HTMLProgressElement) => element.value)).toBe(0.25);
    visit.server.underWay[0] = { name: "long.bin", size: 4_000_000, received: 3_000_000, startedAt };
    await visit.page.locator("#under-way", { hasText: "3 MB of 4 MB · 75%" }).waitFor();
    visit.server.underWay.pop();
    arrives("long.bin");
    await visit.page.locator("tbody bdi", { hasText: "long.bin" }).waitFor();
    expect(await visit.page.locator("#under-way").isVisible()).toBe(false);
  });

  it("asks nothing while its tab is hidden, and at once when it is looked at again", async () => {
    await visit.open("/list");
    const turn = (state: string) =>
      visit.page.evaluate((value) => {
        Object.defineProperty(document, "visibilityState", { value, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, state);
    let tries = 0;
    const shownAfter = async (): Promise<number> => {
      const name = `meanwhile-${(tries += 1)}.bin`;
      await turn("hidden");
      // A question that was asked before is answered.
      await visit.page.waitForTimeout(500);
      arrives(name);
      const asked = visit.server.listAnswers.length;
      await visit.page.waitForTimeout(6000);
      expect(visit.server.listAnswers.length).toBe(asked);
      return timeOf(async () => {
        await turn("visible");
        await visit.page.locator("tbody bdi", { hasText: name }).waitFor();
      });
    };
    expect(await leastOf(3000, shownAfter), "milliseconds").toBeLessThan(3000);
  });

  it("says that it is not up to date while the server is away", async () => {
    await visit.open("/list");
    await visit.server.close();
    await visit.page.locator("#live-state", { hasText: "not up to date" }).waitFor({ timeout: 60_000 });
  });
});
