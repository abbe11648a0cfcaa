/** A small form whose connection breaks: it is sent again, and never filed twice. */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { BROWSER_MISSING, dropPaths } from "../helpers/browser.ts";
import { PageVisit } from "../helpers/page-visit.ts";

const KB = 1000;
const title = BROWSER_MISSING === null ? "small forms that break, in Chromium" : `small forms that break, in Chromium (SKIPPED: ${BROWSER_MISSING})`;

describe.skipIf(BROWSER_MISSING !== null)(title, { timeout: 90_000 }, () => {
  const visit = new PageVisit();
  const digest = createHash("sha256").update("a".repeat(500 * KB)).digest("hex");

  it("is done when only the answer was lost, with the folder that it lay in", async () => {
    await visit.open("/", { neverKept: true });
    await mkdir(`${visit.folder}/run`);
    await visit.file("run/lost.bin", 500 * KB);
    visit.server.unanswered.add("lost.bin");
    await dropPaths(visit.page, "#drop", [`${visit.folder}/run`]);
    await visit.page.click("#submit");
    await visit.reaches("lost.bin", "done");
    expect(visit.server.questions).toEqual([digest]);
    expect(visit.server.posts).toHaveLength(1);
    expect(visit.server.uploads.map(({ name, folder }) => [name, folder])).toEqual([["lost.bin", "run"]]);
    expect(await visit.item("lost.bin").innerText()).toContain("the same as on this device");
  });

  it("is sent again when it did not arrive, though the same file was filed long before, and in another folder", async () => {
    await visit.open("/", { neverKept: true });
    const path = await visit.file("cut.bin", 500 * KB);
    const twin = { id: "01TWIN", name: "cut.bin", size: 500 * KB, contentType: null, checksums: { sha256: digest }, description: null, state: "complete" as const };
    visit.server.uploads.push({ ...twin, completedAt: "2020-01-01T00:00:00.000Z" }, { ...twin, folder: "other", completedAt: new Date(Date.now() + 60_000).toISOString() });
    visit.server.cut.add("cut.bin");
    await visit.page.setInputFiles("#file", path);
    await visit.page.click("#submit");
    await expect.poll(() => visit.server.questions, { timeout: 30_000, interval: 5 }).toEqual([digest]);
    visit.server.cut.clear();
    await visit.reaches("cut.bin", "done");
    expect(visit.server.uploads).toHaveLength(3);
  });

  it("fails after a few tries and says so, and a retry asks first", async () => {
    await visit.open("/", { neverKept: true });
    visit.server.cut.add("often.bin");
    await visit.page.setInputFiles("#file", await visit.file("often.bin", 500 * KB));
    await visit.page.click("#submit");
    await visit.reaches("often.bin", "failed");
    expect(await visit.item("often.bin").innerText()).toMatch(/closed/);
    const asked = visit.server.questions.length;
    expect(asked).toBe(3);
    visit.server.cut.clear();
    await visit.page.getByRole("button", { name: "Retry often.bin" }).click();
    await visit.reaches("often.bin", "done");
    expect(visit.server.questions).toHaveLength(asked + 1);
    expect(visit.server.uploads).toHaveLength(1);
  });

  it("sends nothing again once it is cancelled", async () => {
    await visit.open("/", { neverKept: true });
    visit.server.cut.add("given-up.bin");
    await visit.page.setInputFiles("#file", await visit.file("given-up.bin", 500 * KB));
    await visit.page.click("#submit");
    await expect.poll(() => visit.server.posts.length, { timeout: 30_000 }).toBeGreaterThan(0);
    await visit.page.getByRole("button", { name: "Cancel given-up.bin" }).click();
    await visit.reaches("given-up.bin", "cancelled");
    visit.server.cut.clear();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(visit.server.uploads).toEqual([]);
  });
});
