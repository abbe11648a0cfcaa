import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AT_ONCE_MAX,
  EMPTY_QUEUE,
  startable,
  step,
  summarise,
  type ItemState,
  type Queue,
  type QueueEvent,
} from "../../../web/browser/queue.ts";

const RESULT = { id: "ID", name: "a", size: 10, checksums: { sha256: "d" } };
const PROBLEM = { message: "m", hint: "h" };

function run(events: readonly QueueEvent[], from: Queue = EMPTY_QUEUE): Queue {
  return events.reduce(step, from);
}

function added(count: number): Queue {
  return run([{ kind: "add", files: Array.from({ length: count }, (_, index) => ({ name: `f${index}`, size: 10 })) }]);
}

/** A queue whose one item has a state. */
function withState(state: ItemState): Queue {
  return { items: [{ key: 1, name: "a", size: 10, folder: "", description: "", sent: 0, state }], nextKey: 2 };
}

const STATES: Readonly<Record<ItemState["kind"], ItemState>> = {
  ready: { kind: "ready" },
  queued: { kind: "queued" },
  sending: { kind: "sending", loaded: 4 },
  paused: { kind: "paused", loaded: 4 },
  finishing: { kind: "finishing" },
  done: { kind: "done", result: RESULT },
  failed: { kind: "failed", problem: PROBLEM, canRetry: true },
  cancelled: { kind: "cancelled" },
};

const EVENTS: Readonly<Record<Exclude<QueueEvent["kind"], "add">, QueueEvent>> = {
  submit: { kind: "submit", description: "d" },
  start: { kind: "start", key: 1 },
  progress: { kind: "progress", key: 1, loaded: 6 },
  sent: { kind: "sent", key: 1 },
  done: { kind: "done", key: 1, result: RESULT },
  fail: { kind: "fail", key: 1, problem: PROBLEM },
  pause: { kind: "pause", key: 1 },
  resume: { kind: "resume", key: 1 },
  cancel: { kind: "cancel", key: 1 },
  retry: { kind: "retry", key: 1 },
  remove: { kind: "remove", key: 1 },
};

/** State -> event -> next state; what is not here must change nothing. */
const TABLE: Readonly<Record<ItemState["kind"], Readonly<Record<string, ItemState["kind"] | "gone">>>> = {
  ready: { submit: "queued", remove: "gone" },
  queued: { start: "sending", cancel: "cancelled" },
  sending: { progress: "sending", sent: "finishing", done: "done", fail: "failed", pause: "paused", cancel: "cancelled" },
  paused: { resume: "queued", cancel: "cancelled" },
  finishing: { done: "done", fail: "failed", cancel: "cancelled" },
  done: {},
  failed: { retry: "queued", remove: "gone" },
  cancelled: { retry: "queued", remove: "gone" },
};

describe("step", () => {
  for (const [kind, state] of Object.entries(STATES)) {
    for (const [name, event] of Object.entries(EVENTS)) {
      const expected = TABLE[state.kind][name];
      it(`${kind} + ${name} -> ${expected ?? "unchanged"}`, () => {
        const before = withState(state);
        const after = step(before, event);
        if (expected === undefined) expect(after).toBe(before);
        else expect(after.items[0]?.state.kind ?? "gone").toBe(expected);
      });
    }
  }

  it("adds files with keys that are never used again", () => {
    const queue = run([{ kind: "remove", key: 2 }, { kind: "add", files: [{ name: "g", size: 1 }] }], added(2));
    expect(queue.items.map(({ key, name }) => [key, name])).toEqual([[1, "f0"], [3, "g"]]);
  });

  it("shows a file with a problem as failed, never to be sent", () => {
    const queue = run([
      { kind: "add", files: [{ name: "a", size: 10, problem: PROBLEM }] },
      { kind: "submit", description: "" },
      { kind: "retry", key: 1 },
    ]);
    expect(queue.items[0]?.state).toEqual({ kind: "failed", problem: PROBLEM, canRetry: false });
    expect(startable(queue)).toEqual([]);
  });

  it("gives each file the description of its own submit", () => {
    const queue = run(
      [{ kind: "submit", description: "one" }, { kind: "add", files: [{ name: "b", size: 1 }] }, { kind: "submit", description: "two" }],
      added(1),
    );
    expect(queue.items.map((item) => item.description)).toEqual(["one", "two"]);
  });

  it("keeps progress within the file", () => {
    const queue = withState({ kind: "sending", loaded: 0 });
    expect(step(queue, { kind: "progress", key: 1, loaded: 99 }).items[0]?.state).toEqual({ kind: "sending", loaded: 10 });
    expect(step(queue, { kind: "progress", key: 1, loaded: -1 }).items[0]?.state).toEqual({ kind: "sending", loaded: 0 });
  });

  it("shows a resumed upload from where it was paused, until the server says more", () => {
    const queue = run([{ kind: "pause", key: 1 }, { kind: "resume", key: 1 }, { kind: "start", key: 1 }], withState(STATES.sending));
    expect(queue.items[0]?.state).toEqual({ kind: "sending", loaded: 4 });
  });

  it("starts a retry from nothing", () => {
    const queue = run([{ kind: "retry", key: 1 }, { kind: "start", key: 1 }], withState(STATES.failed));
    expect(queue.items[0]?.state).toEqual({ kind: "sending", loaded: 0 });
  });
});

describe("startable", () => {
  it("starts the oldest, three at a time, and the next when one ends", () => {
    let queue = step(added(5), { kind: "submit", description: "" });
    expect(startable(queue)).toEqual([1, 2, 3]);
    queue = run([{ kind: "start", key: 1 }, { kind: "start", key: 2 }, { kind: "start", key: 3 }], queue);
    expect(startable(queue)).toEqual([]);
    expect(startable(step(queue, { kind: "sent", key: 1 }))).toEqual([]);
    expect(startable(step(queue, { kind: "done", key: 2, result: RESULT }))).toEqual([4]);
    expect(startable(step(queue, { kind: "cancel", key: 1 }))).toEqual([4]);
    expect(startable(step(queue, { kind: "pause", key: 1 }))).toEqual([4]);
  });
});

describe("whatever happens in whatever order", () => {
  const key = fc.integer({ min: 1, max: 6 });
  const event: fc.Arbitrary<QueueEvent> = fc.oneof(
    fc.record({ kind: fc.constant("add" as const), files: fc.array(fc.record({ name: fc.string(), size: fc.nat() }), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant("submit" as const), description: fc.string() }),
    fc.record({ kind: fc.constant("progress" as const), key, loaded: fc.integer() }),
    fc.record({ kind: fc.constantFrom("sent" as const, "pause" as const, "resume" as const, "cancel" as const, "retry" as const, "remove" as const), key }),
    fc.record({ kind: fc.constant("done" as const), key, result: fc.constant(RESULT) }),
    fc.record({ kind: fc.constant("fail" as const), key, problem: fc.constant(PROBLEM) }),
  );

  it("no more than three run, none waits while there is room, and the sums agree", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        let queue = EMPTY_QUEUE;
        for (const one of events) {
          queue = step(queue, one);
          for (const started of startable(queue)) queue = step(queue, { kind: "start", key: started });
          const kinds = queue.items.map((item) => item.state.kind);
          const running = kinds.filter((kind) => kind === "sending" || kind === "finishing").length;
          expect(running).toBeLessThanOrEqual(AT_ONCE_MAX);
          if (kinds.includes("queued")) expect(running).toBe(AT_ONCE_MAX);
          const sum = summarise(queue);
          const cancelled = kinds.filter((kind) => kind === "cancelled").length;
          expect(sum.ready + sum.underWay + sum.failed + sum.doneIds.length + cancelled).toBe(sum.total);
          expect(new Set(queue.items.map((item) => item.key)).size).toBe(queue.items.length);
        }
      }),
    );
  });
});
