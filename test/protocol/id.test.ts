import { expect, it } from "vitest";
import { firstIdOf, idTime, isId, makeIdSource } from "../../protocol/id.ts";

it("writes ids in the form of ULIDs", () => {
  const id = makeIdSource()();
  expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  expect(isId(id)).toBe(true);
});

it("tells the time an id was made", () => {
  const time = Date.UTC(2026, 10, 22, 20, 47, 1, 234);
  expect(idTime(makeIdSource(() => time)())).toBe(time);
});

it("writes the time of the specification's example", () => {
  expect(makeIdSource(() => 1469918176385)().slice(0, 10)).toBe("01ARYZ6S41");
});

it("gives greater ids within one millisecond, and when the clock is set back", () => {
  let now = 1_000_000;
  const next = makeIdSource(() => now);
  const ids: string[] = [];
  for (let i = 0; i < 3000; i += 1) {
    if (i === 1000) now += 1;
    if (i === 2000) now -= 5000;
    ids.push(next());
  }
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(ids);
});

it("gives different ids in two sources of one millisecond", () => {
  const ids = Array.from({ length: 200 }, () => makeIdSource(() => 5)());
  expect(new Set(ids).size).toBe(200);
});

it("knows the smallest id of a millisecond", () => {
  const time = 1_700_000_000_000;
  const before = makeIdSource(() => time - 1)();
  const within = makeIdSource(() => time)();
  expect(firstIdOf(time) > before).toBe(true);
  expect(firstIdOf(time) <= within).toBe(true);
  expect(isId(firstIdOf(time))).toBe(true);
});

it.each(["", "01M82H4MGFG4P2FZRFZ6CY4ZH", "01M82H4MGFG4P2FZRFZ6CY4ZHKK", "81M82H4MGFG4P2FZRFZ6CY4ZHK", "01m82h4mgfg4p2fzrfz6cy4zhk", "01M82H4MGFG4P2FZRFZ6CY4ZHI", "../../../../etc/passwd/aaa"])(
  "refuses %j",
  (text) => {
    expect(isId(text)).toBe(false);
  },
);
