import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { syncShared } from "../../app/store/durable.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-durable-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("syncs a directory once for all who ask before it begins, and again for those who come later", async () => {
  const first = syncShared(folder);
  expect(syncShared(folder)).toBe(first);
  // One turn later the first has begun: what is renamed now is not in it for sure.
  await Promise.resolve();
  await Promise.resolve();
  const second = syncShared(folder);
  expect(second).not.toBe(first);
  expect(syncShared(folder)).toBe(second);
  const order: string[] = [];
  await Promise.all([second.then(() => order.push("second")), first.then(() => order.push("first"))]);
  expect(order).toEqual(["first", "second"]);
});

it("tells everyone who waits that a directory cannot be synced, and tries again for the next", async () => {
  const gone = join(folder, "gone");
  const first = syncShared(gone);
  await Promise.resolve();
  await Promise.resolve();
  const second = syncShared(gone);
  await expect(first).rejects.toThrow("ENOENT");
  await expect(second).rejects.toThrow("ENOENT");
  await expect(syncShared(folder)).resolves.toBeUndefined();
});
