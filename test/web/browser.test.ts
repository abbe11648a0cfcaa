/** Uploading with the page in a real browser: real files, a real server that answers as each test asks. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BROWSER_MISSING, dragPaths, dropPaths } from "../helpers/browser.ts";
import { PageVisit } from "../helpers/page-visit.ts";

const MB = 1_000_000;
const title = BROWSER_MISSING === null ? "uploading in Chromium" : `uploading in Chromium (SKIPPED: ${BROWSER_MISSING})`;

describe.skipIf(BROWSER_MISSING !== null)(title, { timeout: 90_000 }, () => {
  const visit = new PageVisit();

  it("uploads two dropped files, shows progress, and both stand in the list", async () => {
    await visit.open();
    visit.server.held.add("one.bin");
    await dropPaths(visit.page, "#drop", [await visit.file("one.bin", 30 * MB), await visit.file("two.bin", 2 * MB)]);
    await visit.page.locator("#submit", { hasText: "Upload 2 files" }).waitFor();
    await visit.page.fill("#description", "Both of <them>");
    await visit.page.click("#submit");

    await visit.reaches("two.bin", "done");
    await visit.page.waitForFunction(() => Number(document.querySelector<HTMLProgressElement>("[data-state=sending] progress")?.value) > 0);
    await visit.page.locator(".item-status", { hasText: /of 30\sMB · \d+% · .*\/s/ }).waitFor();
    expect(await visit.item("one.bin").locator("progress").evaluate((bar: HTMLProgressElement) => bar.value)).toBeLessThan(1);

    visit.server.held.clear();
    await visit.reaches("one.bin", "done");
    expect(visit.server.posts.map(({ accept }) => accept)).toEqual(["application/json", "application/json"]);
    for (const { body } of visit.server.posts) expect(body()).toMatch(/name="submit"\r\n\r\nUpload\r\n/);

    await visit.page.click("#queue-link");
    await visit.page.waitForURL(/\/list\?new=/);
    expect(await visit.page.locator("tr.new").count()).toBe(2);
    expect((await visit.page.locator("tbody th bdi").allTextContents()).sort()).toEqual(["one.bin", "two.bin"]);
    expect(await visit.page.locator("td.description").first().textContent()).toBe("Both of <them>");
  });

  it("runs at most three uploads at a time and all of them in the end", async () => {
    await visit.open();
    const names = ["a.bin", "b.bin", "c.bin", "d.bin", "e.bin"];
    for (const name of names) visit.server.held.add(name);
    await visit.page.setInputFiles("#file", await Promise.all(names.map((name) => visit.file(name, MB))));
    await visit.page.click("#submit");
    await expect.poll(() => visit.server.posts.length, { timeout: 30_000 }).toBe(3);
    const waiting = (await Promise.all(names.map((name) => visit.state(name)))).map((kind) => kind === "queued");
    expect(waiting).toEqual([false, false, false, true, true]);
    visit.server.held.clear();
    await visit.page.locator("#queue-summary", { hasText: "5 of 5 uploaded" }).waitFor();
    expect(visit.server.atOnceMax()).toBe(3);
  });

  it("cancels one file, leaves the other alone, and sends it after a retry", async () => {
    await visit.open();
    visit.server.held.add("long.bin");
    await visit.page.setInputFiles("#file", [await visit.file("long.bin", 30 * MB), await visit.file("short.bin", 1000)]);
    await visit.page.click("#submit");
    await visit.reaches("short.bin", "done");
    await visit.page.getByRole("button", { name: "Cancel long.bin" }).click();
    await visit.reaches("long.bin", "cancelled");
    expect(visit.server.uploads.map(({ name }) => name)).toEqual(["short.bin"]);
    // Whoever pressed Cancel by keyboard goes on from there.
    expect(await visit.page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Retry long.bin");

    visit.server.held.clear();
    await visit.page.keyboard.press("Enter");
    await visit.reaches("long.bin", "done");
    expect(visit.server.uploads.map(({ name }) => name).sort()).toEqual(["long.bin", "short.bin"]);
  });

  it("shows the server's own sentences beside the file, and they stay", async () => {
    await visit.open();
    visit.server.refused.add("full.bin");
    await visit.page.setInputFiles("#file", [await visit.file("full.bin", 1000), await visit.file("fine.bin", 1000)]);
    await visit.page.click("#submit");
    await visit.reaches("full.bin", "failed");
    await visit.reaches("fine.bin", "done");
    const text = await visit.item("full.bin").innerText();
    for (const part of ["The disk of the site is full.", "make room", "Request 0123456789abcdef"]) expect(text).toContain(part);

    visit.server.refused.clear();
    await visit.page.getByRole("button", { name: "Retry full.bin" }).click();
    await visit.reaches("full.bin", "done");
    expect(await visit.item("full.bin").innerText()).not.toContain("disk");
  });

  it("shows the sentences of a server that refuses in the middle and closes", async () => {
    await visit.open();
    visit.server.refusedEarly.add("early.bin");
    await visit.page.setInputFiles("#file", await visit.file("early.bin", 60 * MB));
    await visit.page.click("#submit");
    await visit.reaches("early.bin", "failed");
    expect(await visit.item("early.bin").innerText()).toContain("The disk of the site is full.");
  });

  it("says how far it came when the server closes the connection", async () => {
    await visit.open();
    visit.server.cut.add("cut.bin");
    await visit.page.setInputFiles("#file", await visit.file("cut.bin", 30 * MB));
    await visit.page.click("#submit");
    await visit.reaches("cut.bin", "failed");
    expect(await visit.item("cut.bin").innerText()).toMatch(/The connection was closed after .* of 30\sMB\./);
    visit.server.cut.clear();
    await visit.page.getByRole("button", { name: "Retry cut.bin" }).click();
    await visit.reaches("cut.bin", "done");
  });

  it("says that the server cannot be reached", async () => {
    await visit.open();
    await visit.page.setInputFiles("#file", await visit.file("lost.bin", 1000));
    await visit.server.close();
    await visit.page.click("#submit");
    await visit.reaches("lost.bin", "failed");
    expect(await visit.item("lost.bin").innerText()).toContain("The server could not be reached.");
  });

  it("says that a file was changed or removed after it was chosen", async () => {
    await visit.open();
    const path = await visit.file("gone.bin", 1000);
    await visit.page.setInputFiles("#file", path);
    await rm(path);
    await visit.page.click("#submit");
    await visit.reaches("gone.bin", "failed");
    expect(await visit.item("gone.bin").innerText()).toContain("can no longer read the file");
  });

  it("refuses a file over the limit before sending anything, and takes the files of a folder", async () => {
    await visit.open("/", { maxFileSize: MB });
    await mkdir(join(visit.folder, "campaign"));
    await mkdir(join(visit.folder, "campaign", "deep"));
    await visit.file("campaign/deep/inside.bin", 10);
    await dropPaths(visit.page, "#drop", [await visit.file("big.bin", MB + 1), join(visit.folder, "campaign"), await visit.file("ok.bin", MB)]);
    await visit.reaches("big.bin", "failed");
    expect(await visit.item("big.bin").innerText()).toMatch(/this site takes up to 1,000,000\sbytes a file/);
    await visit.reaches("campaign/deep/inside.bin", "ready");
    await visit.page.click("#submit");
    await visit.reaches("ok.bin", "done");
    await visit.reaches("inside.bin", "done");
    expect(visit.server.posts.map(({ fileName }) => fileName).sort()).toEqual(["inside.bin", "ok.bin"]);
    expect(visit.server.uploads.map(({ name, folder }) => [name, folder]).sort()).toEqual([["inside.bin", "campaign/deep"], ["ok.bin", null]]);
    expect(await visit.page.getByRole("button", { name: "Retry big.bin" }).count()).toBe(0);
  });

  it("takes a file once, however often it is chosen, and again when it was cancelled", async () => {
    await visit.open();
    const paths = [await visit.file("once.bin", 1000), await visit.file("other.bin", 1000)];
    await visit.page.setInputFiles("#file", paths[0]!);
    await visit.reaches("once.bin", "ready");
    await visit.page.setInputFiles("#file", paths);
    await visit.page.locator("#queue-notice", { hasText: "1 file is in the list already and was not added again." }).waitFor();
    await visit.reaches("other.bin", "ready");
    expect(await visit.page.locator("#items > li").count()).toBe(2);
    await visit.page.getByRole("button", { name: "Remove once.bin" }).click();
    await visit.page.setInputFiles("#file", paths[0]!);
    await visit.reaches("once.bin", "ready");
    expect(await visit.page.locator("#queue-notice").isVisible()).toBe(false);
  });

  it("shows where files may be dropped while they are held over the page, and stops when they are not", async () => {
    await visit.open();
    const path = await visit.file("held.bin", 10);
    const isOver = () => visit.page.locator("#drop").evaluate((zone) => zone.classList.contains("is-over"));
    await dragPaths(visit.page, "h1", [path]);
    expect(await isOver()).toBe(true);
    await visit.page.mouse.move(5, 5);
    expect(await isOver()).toBe(false);

    // Beside the zone counts too: the browser would open the file in place of the page.
    const drop = await dragPaths(visit.page, "h1", [path]);
    await drop();
    await visit.reaches("held.bin", "ready");
    expect(await isOver()).toBe(false);
    expect(visit.page.url()).toBe(`${visit.server.origin}/`);
  });

  it("sends file names as they are and shows them as text", async () => {
    await visit.open();
    const names = ["<b>bold & 'so'.txt", "שלום עולם.txt", "\u{1f4c4} ünï.txt", "turn\u202etxt.exe"];
    await visit.page.setInputFiles("#file", await Promise.all(names.map((name) => visit.file(name, 10))));
    await visit.page.click("#submit");
    await visit.page.locator("#queue-summary", { hasText: "4 of 4 uploaded" }).waitFor();
    expect(visit.server.posts.map(({ fileName }) => fileName).sort()).toEqual([...names].sort());
    const shown = names.map((name) => name.replace("\u202e", "\ufffd"));
    expect(await visit.page.locator(".item-name").allTextContents()).toEqual(shown);
    await visit.page.click("#queue-link");
    expect((await visit.page.locator("tbody th bdi").allTextContents()).sort()).toEqual(shown.sort());
  });

  it("asks before the page is left while files are under way, and only then", async () => {
    await visit.open();
    visit.server.held.add("stay.bin");
    await visit.page.setInputFiles("#file", await visit.file("stay.bin", 30 * MB));
    await visit.page.click("#submit");
    await visit.reaches("stay.bin", "sending");
    const [dialog] = await Promise.all([visit.page.waitForEvent("dialog"), visit.page.reload({ timeout: 500 }).catch(() => undefined)]);
    expect(dialog.type()).toBe("beforeunload");
    await dialog.dismiss();
    visit.server.held.clear();
    await visit.reaches("stay.bin", "done");
    await visit.page.goto(`${visit.server.origin}/list`);
  });
});
