/** Many files at once, and how long the page does not answer while it takes them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";

/** Makes a folder of files, no two alike. @param bytes Size of each; a few when 0. @returns Its path. */
export function makeMany(folder: string, count: number, bytes = 0): string {
  const many = join(folder, `many-${count}`);
  mkdirSync(many, { recursive: true });
  for (let index = 0; index < count; index++) writeFileSync(join(many, `frame-${String(index).padStart(5, "0")}.raw`), `frame ${index}`.padEnd(bytes));
  return many;
}

/** Has the page note its longest task, ms (Long Tasks API), which is how long a click may have to wait. */
export async function watchTasks(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const seen = globalThis as unknown as { longest: number };
    seen.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) seen.longest = Math.max(seen.longest, duration);
    }).observe({ type: "longtask" });
  });
  return () => page.evaluate(() => (globalThis as unknown as { longest: number }).longest);
}
