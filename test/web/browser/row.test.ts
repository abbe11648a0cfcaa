import { describe, expect, it } from "vitest";
import type { Item, ItemState } from "../../../web/browser/queue.ts";
import { actionsOf, fillOf, statusOf } from "../../../web/browser/row.ts";

const PROBLEM = { message: "m", hint: "h" };

function item(state: ItemState, size = 10_000_000): Item {
  return { key: 1, name: "a.bin", size, folder: "", description: "", sent: 0, state };
}

it("offers a pause only where the upload can go on later", () => {
  expect(actionsOf({ kind: "sending", loaded: 0 }, true).map(({ action }) => action)).toEqual(["pause", "cancel"]);
});

describe("statusOf", () => {
  it("says bytes and percent, then speed and time left once they are known", () => {
    const sending = item({ kind: "sending", loaded: 2_500_000 });
    expect(statusOf(sending, null)).toBe("2.50\u00a0MB of 10\u00a0MB · 25%");
    expect(statusOf(sending, { bytesPerSecond: 1_000_000, secondsLeft: 7.5 })).toBe(
      "2.50\u00a0MB of 10\u00a0MB · 25% · 1\u00a0MB/s · 8 s left",
    );
  });

  it("promises no time while nothing moves", () => {
    const text = statusOf(item({ kind: "sending", loaded: 5 }), { bytesPerSecond: 0, secondsLeft: Infinity });
    expect(text).toMatch(/0\u00a0B\/s$/);
  });
});

it.each<[ItemState, string[]]>([
  [{ kind: "ready" }, ["remove"]],
  [{ kind: "queued" }, ["cancel"]],
  [{ kind: "sending", loaded: 0 }, ["cancel"]],
  [{ kind: "paused", loaded: 0 }, ["resume", "cancel"]],
  [{ kind: "finishing" }, ["cancel"]],
  [{ kind: "failed", problem: PROBLEM, canRetry: true }, ["retry", "remove"]],
  [{ kind: "failed", problem: PROBLEM, canRetry: false }, ["remove"]],
  [{ kind: "cancelled" }, ["retry", "remove"]],
  [{ kind: "done", result: { id: "i", name: "n", size: 1, checksums: {} } }, []],
])("actionsOf(%j) are %j", (state, expected) => {
  expect(actionsOf(state).map(({ action }) => action)).toEqual(expected);
});

it.each<[Item, number | null]>([
  [item({ kind: "ready" }), null],
  [item({ kind: "queued" }), 0],
  [item({ kind: "sending", loaded: 2_500_000 }), 0.25],
  [item({ kind: "sending", loaded: 0 }, 0), 1],
  [item({ kind: "finishing" }), 1],
  [item({ kind: "cancelled" }), null],
])("fillOf %#", (one, expected) => {
  expect(fillOf(one)).toBe(expected);
});
