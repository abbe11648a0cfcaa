import { expect, it } from "vitest";
import { eachOf, groupsOf, scheduleOf } from "../../client/schedule.ts";

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

const named = (name: string, size: number) => ({ argument: name, path: `/${name}`, name, size });
const namesOf = (files: readonly (readonly [string, number])[], most: number, parallel: number): readonly string[] =>
  groupsOf(files.map(([name, size]) => named(name, size)), { most, parallel }).map((group) => group.map(({ name }) => name).join(" "));
const letters = (text: string, size: number) => [...text].map((name) => [name, size] as const);

it("puts small neighbours together, up to a number and a size, and leaves something for all who work", () => {
  expect(namesOf(letters("abcdefgh", 1), 3, 1)).toEqual(["a b c", "d e f", "g h"]);
  expect(namesOf(letters("abcdefgh", 1), 64, 4)).toEqual(["a b", "c d", "e f", "g h"]);
  expect(namesOf(letters("abc", 1), 64, 16)).toEqual(["a", "b", "c"]);
  expect(namesOf(letters("abc", 1), 1, 1)).toEqual(["a", "b", "c"]);
  expect(namesOf(letters("abc", 200 * 1024), 64, 1)).toEqual(["a b", "c"]);
  expect(namesOf([], 64, 1)).toEqual([]);
});

it("leaves files by themselves that are large, or have a name that a form writes in another way", () => {
  expect(namesOf([["a", 1], ["large", MiB], ["b", 1], ['say "x"', 1], ["back\\slash", 1], ["new\nline", 1]], 64, 1)).toEqual(["a b", "large", 'say "x"', "back\\slash", "new\nline"]);
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
