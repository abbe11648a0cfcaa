/** A small form whose connection breaks: it is sent again, and never filed twice. */
import { mkdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { BROWSER_MISSING, dropPaths } from "../helpers/browser.ts";
import { PageVisit } from "../helpers/page-visit.ts";

const KB = 1000;
const title = BROWSER_MISSING === null ? "small forms that break, in Chromium" : `small forms that break, in Chromium (SKIPPED: ${BROWSER_MISSING})`;

describe.skipIf(BROWSER_MISSING !== null)(title, { timeout: 90_000 }, () => {
  const visit = new PageVisit();

  it("is done when only the answer was lost, filed once, with the folder that it lay in", async () => {
    await visit.open("/", { neverKept: true });
    await mkdir(`${visit.folder}/run`);
    await visit.file("run/lost.bin", 500 * KB);
    visit.server.unanswered.add("lost.bin");
    await dropPaths(visit.page, "#drop", [`${visit.folder}/run`]);
    await visit.page.click("#submit");
    await visit.reaches("lost.bin", "done");
    const [first, ...others] = visit.server.keys;
    expect(first).toMatch(/^"[0-9a-f]{32}"$/);
    expect(others).toEqual([first]);
    expect(visit.server.uploads.map(({ name, folder }) => [name, folder])).toEqual([["lost.bin", "run"]]);
    expect(await visit.item("lost.bin").innerText()).toContain("the same as on this device");
  });

  it("fails after a few tries and says so; a retry has the same key, another file another", async () => {
    await visit.open("/", { neverKept: true });
    visit.server.cut.add("often.bin");
    await visit.page.setInputFiles("#file", [await visit.file("often.bin", 500 * KB), await visit.file("other.bin", 500 * KB)]);
    await visit.page.click("#submit");
    await visit.reaches("often.bin", "failed");
    expect(await visit.item("often.bin").innerText()).toMatch(/closed/);
    expect(visit.server.keys).toHaveLength(6);
    visit.server.cut.clear();
    await visit.page.getByRole("button", { name: "Retry often.bin" }).click();
    await visit.reaches("often.bin", "done");
    expect(visit.server.keys).toHaveLength(7);
    expect(new Set(visit.server.keys).size).toBe(2);
    expect(visit.server.uploads).toHaveLength(2);
  });

  it.each([[1, true], [99, false]])("is done when the script that hashes breaks %i times", async (breaks, isCompared) => {
    await visit.open("/", { neverKept: true });
    let asked = 0;
    await visit.page.route("**/hash.js", (route) => (asked++ < breaks ? route.abort("connectionreset") : route.continue()));
    await visit.page.setInputFiles("#file", [await visit.file("one.bin", 500 * KB), await visit.file("two.bin", 500 * KB)]);
    await visit.page.click("#submit");
    for (const name of ["one.bin", "two.bin"]) {
      await visit.reaches(name, "done");
      expect((await visit.item(name).innerText()).includes("the same as on this device")).toBe(isCompared);
    }
    expect(asked).toBe(Math.min(breaks + 1, 4));
  });

  it("sends nothing again once it is cancelled", async () => {
    await visit.open("/", { neverKept: true });
    visit.server.cut.add("given-up.bin");
    await visit.page.setInputFiles("#file", await visit.file("given-up.bin", 500 * KB));
    await visit.page.click("#submit");
    await expect.poll(() => visit.server.posts.length, { timeout: 30_000 }).toBeGreaterThan(0);
    // The tries that follow end when this test says so: the last of them is not to be over before the click.
    visit.server.held.add("given-up.bin");
    await visit.page.getByRole("button", { name: "Cancel given-up.bin" }).click();
    await visit.reaches("given-up.bin", "cancelled");
    visit.server.cut.clear();
    visit.server.held.clear();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(visit.server.uploads).toEqual([]);
  });
});
