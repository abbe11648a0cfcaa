import { mkdtempSync, rmSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { planFiles } from "../../client/plan.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-plan-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("lists what can be sent, and what cannot with the reason", async () => {
  writeFileSync(join(folder, "a.bin"), "12345");
  mkdirSync(join(folder, "sub"));
  const { files, unreadable } = await planFiles(["a.bin", "sub", "gone", "/dev/null"], folder);
  expect(files).toEqual([{ argument: "a.bin", path: join(folder, "a.bin"), name: "a.bin", size: 5 }]);
  expect(unreadable).toEqual([
    { argument: "sub", why: "is a folder; name the files in it" },
    { argument: "gone", why: "does not exist" },
    { argument: "/dev/null", why: "is not a regular file; copy it to one first" },
  ]);
});
