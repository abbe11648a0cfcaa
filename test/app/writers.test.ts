import { describe, expect, it } from "vitest";
import { longestWait, makeWriters } from "../../app/store/writers.ts";

/** Whether somebody waits for the writers of a session. */
async function waits(ended: Promise<void>): Promise<boolean> {
  const soon = new Promise<boolean>((resolve) => setTimeout(() => resolve(true), longestWait / 4));
  return Promise.race([ended.then(() => false), soon]);
}

describe("who writes to a session", () => {
  it("is waited for until it has ended", async () => {
    const writers = makeWriters();
    writers.begin("one", "request 1");
    writers.begin("other", "request 2");
    const ended = writers.ended("one");
    expect(await waits(ended)).toBe(true);
    writers.end("request 1");
    await ended;
    expect(await waits(writers.ended("one"))).toBe(false);
    expect(await waits(writers.ended("other"))).toBe(true);
  });

  it("is waited for once, when it never ends", async () => {
    const writers = makeWriters();
    writers.begin("one", "request 1");
    await writers.ended("one");
    expect(await waits(writers.ended("one"))).toBe(false);
  });

  it("is forgotten with the session", async () => {
    const writers = makeWriters();
    writers.begin("one", "request 1");
    writers.begin("other", "request 2");
    writers.forget("one");
    expect(await waits(writers.ended("one"))).toBe(false);
    expect(await waits(writers.ended("other"))).toBe(true);
  });
});
