import { expect, it } from "vitest";
import { eachOf, scheduleOf } from "../../client/schedule.ts";

const MiB = 1024 * 1024;
const auto = { streams: "auto", parallel: "auto" } as const;
const files = (count: number, size: number) => Array.from({ length: count }, () => ({ size }));

it.each([
  [10_000, 4096, 16, 1], [3, 4096, 3, 1], [1, 0, 1, 1], [1, 100 * MiB, 1, 1], [1, 10_000 * MiB, 1, 4], [5, 10_000 * MiB, 2, 4], [5, 130 * MiB, 2, 2], [0, 0, 1, 1],
])("for %d files of %d bytes: %d at once, %d streams each", (count, size, parallel, streams) => {
  const schedule = scheduleOf(files(count, size), auto);
  expect(schedule.parallel).toBe(parallel);
  expect(schedule.streamsFor({ size })).toBe(streams);
});

it("does as it is told", () => {
  const schedule = scheduleOf(files(2, 1), { streams: 16, parallel: 5 });
  expect([schedule.parallel, schedule.streamsFor({ size: 1 })]).toEqual([5, 16]);
});

it("works on all, so many at a time, and begins none after the signal", async () => {
  const stopping = new AbortController();
  let [running, most] = [0, 0];
  const done: number[] = [];
  await eachOf([1, 2, 3, 4, 5, 6], 2, stopping.signal, async (item) => {
    most = Math.max(most, (running += 1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
    done.push(item);
    if (item === 4) stopping.abort();
  });
  expect(most).toBe(2);
  expect(done.slice(0, 4)).toEqual([1, 2, 3, 4]);
  expect(done.length).toBeLessThan(6);
});
