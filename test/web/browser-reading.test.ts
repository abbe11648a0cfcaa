/** Reading and operating the pages in a real browser: keyboard, screen readers, screens, no script. */
import { describe, expect, it } from "vitest";
import { BROWSER_MISSING } from "../helpers/browser.ts";
import { PageVisit } from "../helpers/page-visit.ts";

const title = BROWSER_MISSING === null ? "the pages in Chromium" : `the pages in Chromium (SKIPPED: ${BROWSER_MISSING})`;

describe.skipIf(BROWSER_MISSING !== null)(title, { timeout: 90_000 }, () => {
  const visit = new PageVisit();

  it("can be used by keyboard alone, with the focus always in sight", async () => {
    await visit.open();
    const path = await visit.file("keys.bin", 1000);
    // Asked for early: Chromium must know that the test answers in place of a dialog before the key is pressed.
    const chosen = visit.page.waitForEvent("filechooser");
    const stops: string[] = [];
    for (let press = 0; press < 10; press += 1) {
      await visit.page.keyboard.press("Tab");
      stops.push(await visit.page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        const ring = element.id === "file" || element.id === "folder" ? (element.parentElement as HTMLElement) : element;
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
      `English ${ring}`,
      `Deutsch ${ring}`,
      `Français ${ring}`,
      `file ${ring}`,
      `folder ${ring}`,
      `description ${ring}`,
    ]);
    await visit.page.keyboard.press("Shift+Tab");
    await visit.page.keyboard.press("Shift+Tab");
    await visit.page.keyboard.press("Enter");
    const chooser = await chosen;
    expect(chooser.isMultiple()).toBe(true);
    await chooser.setFiles(path);
    await visit.page.keyboard.press("Tab");
    await visit.page.keyboard.press("Tab");
    await visit.page.keyboard.type("by hand");
    await visit.page.keyboard.press("Enter");
    await visit.reaches("keys.bin", "done");
    expect(visit.server.uploads[0]?.description).toBe("by hand");
  });

  it("tells screen readers what happens", async () => {
    await visit.open();
    const live = visit.page.locator("#live[aria-live=polite]");
    await visit.page.setInputFiles("#file", await visit.file("said.bin", 1000));
    await live.and(visit.page.locator(":text('1 file added')")).waitFor({ state: "attached" });
    await visit.page.click("#submit");
    await live.and(visit.page.locator(":text('said.bin uploaded')")).waitFor({ state: "attached" });
  });

  it("copies the whole digest, and the command with this site's address", async () => {
    await visit.open();
    await visit.page.setInputFiles("#file", await visit.file("sum.bin", 1000));
    await visit.page.click("#submit");
    await visit.page.getByRole("button", { name: "Copy the SHA-256 of sum.bin" }).click();
    await visit.page.locator("button", { hasText: "Copied" }).waitFor();
    expect(await visit.page.evaluate(() => navigator.clipboard.readText())).toBe(visit.server.uploads[0]?.checksums.sha256);

    await visit.page.click("summary");
    await visit.page.getByRole("button", { name: "Copy the command: With the client of this site" }).click();
    await expect.poll(() => visit.page.evaluate(() => navigator.clipboard.readText()), { timeout: 30_000 }).toBe(
      `curl -O ${visit.server.origin.replace("http:", "https:")}/slipway.mjs\nnode slipway.mjs push FILE ${visit.server.origin.replace("http:", "https:")}/`,
    );
  });

  it("works without JavaScript", async () => {
    await visit.open("/", {}, { javaScriptEnabled: false });
    await visit.page.setInputFiles("#file", await visit.file("plain.bin", 1000));
    await visit.page.fill("#description", "no script");
    await visit.page.click("#submit");
    await visit.page.waitForURL(/\/list\?new=/);
    expect(await visit.page.locator("tr.new bdi").first().textContent()).toBe("plain.bin");
    expect(await visit.page.locator("td time").textContent()).toMatch(/ UTC$/);
    expect(await visit.page.locator("button[data-copy]").isVisible()).toBe(false);
  });

  it("lists times in the reader's zone, searches, and goes on to older files", async () => {
    await visit.open("/list");
    expect(await visit.page.locator("main").innerText()).toContain("No files yet");
    for (let index = 0; index < 12; index += 1) {
      const id = `ID${String(index).padStart(2, "0")}`;
      const name = index === 11 ? "needle.bin" : `file${index}.bin`;
      visit.server.uploads.push({ id, name, size: 1, contentType: null, checksums: {}, description: null, completedAt: "2026-01-31T20:00:00Z", state: "complete" });
    }
    await visit.page.reload();
    expect(await visit.page.locator("tbody tr").count()).toBe(10);
    expect(await visit.page.locator("time").first().textContent()).toMatch(/1 Feb 2026,? (at )?05:00/);
    expect(await visit.page.locator("time").first().getAttribute("title")).toBe("2026-01-31 20:00 UTC");
    await visit.page.getByRole("link", { name: "Older" }).click();
    expect(await visit.page.locator("tbody tr").count()).toBe(2);
    await visit.page.fill("#q", "needle");
    await visit.page.keyboard.press("Enter");
    await visit.page.waitForURL(/q=needle/);
    expect(await visit.page.locator("tbody th bdi").allTextContents()).toEqual(["needle.bin"]);
    await visit.page.fill("#q", "<nothing>");
    await visit.page.keyboard.press("Enter");
    await visit.page.locator("text=No file matches “<nothing>”").waitFor();
  });

  it.each([320, 390, 768, 1280])("fits a screen %d px wide without scrolling sideways", async (width) => {
    await visit.open("/", {}, { viewport: { width, height: 800 } });
    visit.server.refused.add("no.bin");
    const long = `${"a".repeat(180)}.bin`;
    await visit.page.setInputFiles("#file", [await visit.file(long, 1000), await visit.file("no.bin", 1000)]);
    await visit.page.fill("#description", "word".repeat(60));
    await visit.page.click("#submit");
    await visit.reaches("no.bin", "failed");
    await visit.reaches(long, "done");
    await visit.page.click("summary");
    const overflow = () => visit.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await overflow()).toBe(0);
    for (const path of ["/list", "/nowhere", "/standalone-error"]) {
      await visit.page.goto(visit.server.origin + path);
      expect(await overflow(), path).toBe(0);
    }
  });

  it("follows the reader's dark mode and wish for less motion", async () => {
    await visit.open("/", {}, { colorScheme: "dark", reducedMotion: "reduce" });
    const seen = await visit.page.evaluate(() => ({
      ground: getComputedStyle(document.body).backgroundColor,
      transition: getComputedStyle(document.querySelector("#drop") as Element).transitionDuration,
    }));
    expect(seen.ground).toBe("rgb(18, 22, 25)");
    expect(parseFloat(seen.transition)).toBe(0);
  });

  it("shows a standalone error page with its style and not one request more", async () => {
    await visit.open("/standalone-error");
    const asked: string[] = [];
    visit.page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await visit.page.reload();
    expect(asked.filter((path) => path !== "/favicon.ico")).toEqual(["/standalone-error"]);
    expect(await visit.page.evaluate(() => getComputedStyle(document.querySelector(".card") as Element).borderRadius)).toBe("10px");
  });
});
