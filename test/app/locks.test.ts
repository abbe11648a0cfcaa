import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { makeLocks } from "../../app/store/locks.ts";

it("lets nobody in while a key is held, and everybody through in the end", async () => {
  const locks = makeLocks();
  const inside = new Map<string, number>();
  let most = 0;
  const work = (keys: readonly string[]): Promise<void> =>
    locks.run(keys, async () => {
      for (const key of keys) inside.set(key, (inside.get(key) ?? 0) + 1);
      most = Math.max(most, ...inside.values());
      await setImmediate();
      for (const key of keys) inside.set(key, (inside.get(key) ?? 0) - 1);
    });
  const keys = [["a"], ["a", "b"], ["b", "a"], ["b", "c"], ["c", "a", "b"], ["c"], ["b"]];
  await Promise.all(Array.from({ length: 70 }, (_, i) => work(keys[i % keys.length] ?? [])));
  expect(most).toBe(1);
  expect(["a", "b", "c"].some((key) => locks.held(key))).toBe(false);
});

it("lets work on other keys run meanwhile", async () => {
  const locks = makeLocks();
  let release = (): void => undefined;
  const first = locks.run(["a"], () => new Promise<void>((resolve) => void (release = resolve)));
  await expect(locks.run(["b"], async () => "done")).resolves.toBe("done");
  release();
  await first;
});

it("frees its keys when the work fails", async () => {
  const locks = makeLocks();
  await expect(locks.run(["a"], () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(locks.held("a")).toBe(false);
  await expect(locks.run(["a", "a"], async () => 1)).resolves.toBe(1);
});
