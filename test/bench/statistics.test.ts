import { describe, expect, it } from "vitest";
import { counted, growthExponent, median, medianInterval, quantile, shuffled } from "../../bench/statistics.ts";

describe("statistics of the benchmark", () => {
  it.each([
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 2], 9],
  ])("takes the median of %j", (numbers, expected) => {
    expect(median(numbers)).toBe(expected);
  });

  it("has no median and no quantile of nothing", () => {
    expect(() => median([])).toThrow("of no numbers");
    expect(() => quantile([], 0.5)).toThrow("of no numbers");
  });

  // Of 20 throws fewer than 6 are heads, or tails, with a chance of 4.1 %; fewer than 7 with 11.5 %.
  it.each([
    [5, 1, 5],
    [8, 1, 8],
    [9, 2, 8],
    [20, 6, 15],
    [30, 10, 21],
  ])("has an interval for the median of %d numbers", (n, low, high) => {
    expect(medianInterval(Array.from({ length: n }, (_, i) => n - i))).toEqual([low, high]);
  });

  it("has none for fewer than five", () => {
    expect([[], [1], [1, 2, 3, 4]].map(medianInterval)).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
    [0.001, 1],
  ])("takes the quantile %d of 1 to 100", (share, expected) => {
    expect(quantile(Array.from({ length: 100 }, (_, i) => 100 - i), share)).toBe(expected);
  });

  it("drops the first round, unless it is all there is", () => {
    expect(counted([{ round: 0 }, { round: 1 }, { round: 2 }])).toEqual([{ round: 1 }, { round: 2 }]);
    expect(counted([{ round: 0 }])).toEqual([{ round: 0 }]);
  });

  it("shuffles without losing or doubling, and leaves what it was given", () => {
    const things = [1, 2, 3, 4, 5, 6];
    const result = shuffled(things);
    expect(result.toSorted()).toEqual(things);
    expect(shuffled(things, () => 0)).toEqual([2, 3, 4, 5, 6, 1]);
    expect(things).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([
    ["a straight line", [[1, 5], [10, 50]], 1],
    ["a square", [[1, 1], [10, 10], [100, 1000]], 2],
    ["what does not grow", [[1, 7], [10, 7]], 0],
  ])("finds the exponent of %s", (_, points, expected) => {
    expect(growthExponent(points.map(([x, y]) => ({ x: x!, y: y! })))).toBeCloseTo(expected);
  });

  it("has no exponent of one point or of nothing measured", () => {
    expect(growthExponent([{ x: 1, y: 1 }])).toBeUndefined();
    expect(growthExponent([{ x: 1, y: 0 }, { x: 2, y: 1 }])).toBeUndefined();
  });
});
