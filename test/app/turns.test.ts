import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { makeTurns, type Work } from "../../app/store/turns.ts";

/** Work that runs until it is told to end or let go. */
function held(began: string[], name: string): { readonly work: Work; readonly release: () => void } {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return {
    release: () => release(),
    work: async (signal) => {
      began.push(name);
      await Promise.race([released, new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))]);
    },
  };
}

it("lets two run at a time and the rest in their order, each key once", async () => {
  const turns = makeTurns(2);
  const began: string[] = [];
  const works = ["a", "b", "c", "d"].map((name) => ({ name, ...held(began, name) }));
  const done = works.map(({ name, work }) => turns.run(name, work));
  const again = turns.run("a", async () => void began.push("a again"));
  await sleep(5);
  expect(began).toEqual(["a", "b"]);
  works[1]!.release();
  await done[1];
  await sleep(5);
  expect(began).toEqual(["a", "b", "c"]);
  for (const { release } of works) release();
  await Promise.all([...done, again, turns.idle()]);
  expect(began).toEqual(["a", "b", "c", "d"]);
});

it("ends what runs and what waits, and lets none of the key in while something else is done", async () => {
  const turns = makeTurns(1);
  const began: string[] = [];
  const [a, b] = [turns.run("a", held(began, "a").work), turns.run("b", held(began, "b").work)];
  await turns.without("b", async () => undefined);
  await b;
  await turns.without("a", async () => {
    await a;
    await turns.run("a", async () => void began.push("too early"));
  });
  await turns.run("a", async () => void began.push("after"));
  expect(began).toEqual(["a", "after"]);
});

it("tells of work that failed, and goes on", async () => {
  const turns = makeTurns(1);
  const failed = turns.run("a", async () => Promise.reject(new Error("it failed")));
  const next = turns.run("b", async () => undefined);
  await expect(failed).rejects.toThrow("it failed");
  await next;
});

it("has ended all of it when it is stopped, and lets none in any more", async () => {
  const turns = makeTurns(2);
  const began: string[] = [];
  const all = ["a", "b", "c"].map((name) => turns.run(name, held(began, name).work));
  await turns.stop();
  await Promise.all(all);
  await turns.run("d", async () => void began.push("d"));
  expect(began).toEqual(["a", "b"]);
});
