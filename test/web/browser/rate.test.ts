import { describe, expect, it } from "vitest";
import { WINDOW_MS, addSample, rateAt, type Sample } from "../../../web/browser/rate.ts";

/** Samples every 100 ms at a steady speed. */
function steady(bytesPerSecond: number, ms: number, from: readonly Sample[] = [{ atMs: 0, loaded: 0 }]): readonly Sample[] {
  let samples = from;
  const start = samples.at(-1) ?? { atMs: 0, loaded: 0 };
  for (let at = 100; at <= ms; at += 100) {
    samples = addSample(samples, { atMs: start.atMs + at, loaded: start.loaded + (bytesPerSecond * at) / 1000 });
  }
  return samples;
}

describe("rateAt", () => {
  it("is unknown before there is enough to go by", () => {
    expect(rateAt([], 0, 100)).toBeNull();
    expect(rateAt([{ atMs: 0, loaded: 0 }], 5000, 100)).toBeNull();
    expect(rateAt(steady(1000, 400), 400, 100_000)).toBeNull();
  });

  it("is the speed of a steady upload and the time it leaves", () => {
    expect(rateAt(steady(1000, 20_000), 20_000, 120_000)).toEqual({ bytesPerSecond: 1000, secondsLeft: 100 });
  });

  it("follows a change within its window", () => {
    const slowed = steady(100, WINDOW_MS, steady(10_000, 20_000));
    const now = 20_000 + WINDOW_MS;
    expect(rateAt(slowed, now, 1_000_000)?.bytesPerSecond).toBeCloseTo(100);
  });

  it("sinks while nothing is reported, down to none", () => {
    const samples = steady(1000, 10_000);
    const soon = rateAt(samples, 12_000, 100_000)?.bytesPerSecond ?? NaN;
    const later = rateAt(samples, 16_000, 100_000)?.bytesPerSecond ?? NaN;
    expect(soon).toBeLessThan(1000);
    expect(later).toBeLessThan(soon);
    expect(rateAt(samples, 10_001 + WINDOW_MS, 100_000)).toEqual({ bytesPerSecond: 0, secondsLeft: Infinity });
  });

  it("is never below zero", () => {
    const samples = [{ atMs: 0, loaded: 500 }, { atMs: 1000, loaded: 100 }];
    expect(rateAt(samples, 1000, 50)).toEqual({ bytesPerSecond: 0, secondsLeft: Infinity });
  });
});

describe("addSample", () => {
  it("keeps no more than its window and one before it, however long the upload takes", () => {
    const samples = steady(1000, 600_000);
    expect(samples.length).toBeLessThanOrEqual(WINDOW_MS / 100 + 2);
    expect(samples[0]?.atMs).toBeLessThan(600_000 - WINDOW_MS);
  });
});
