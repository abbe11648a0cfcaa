import { describe, expect, it } from "vitest";
import { isUnsatisfiable } from "../../protocol/range.ts";
import { leastOf, timeOf } from "../helpers/steady.ts";

describe("a range of ten bytes", () => {
  it.each(["", "lines=20-", "bytes=0-", "bytes=9-", "bytes=0-99", "BYTES=3 - 4", "bytes=-5", "bytes=-99", "bytes=20-30,0-1", "bytes=7-3,4-4"])("%j is answered", (range) => {
    expect(isUnsatisfiable(range, 10)).toBe(false);
  });

  it.each(["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=7-3", "bytes=20-,30-40", "bytes=", "bytes=a-b", "bytes=1", "bytes=--3", "bytes=0-1;", `bytes=${"9".repeat(400)}-`])("%j is not", (range) => {
    expect(isUnsatisfiable(range, 10)).toBe(true);
  });

  it.each([["bytes=0-", false], ["bytes=0-5", false], ["bytes=-5", false], ["bytes=1-", true]])("%s of nothing: refused is %s", (range, expected) => {
    expect(isUnsatisfiable(range, 0)).toBe(expected);
  });

  it("takes no time over a long one", async () => {
    const took = (): Promise<number> => timeOf(async () => isUnsatisfiable(`bytes=1${" ".repeat(50_000)}-${" ".repeat(50_000)}x`, 10));
    expect(await leastOf(100, took), "milliseconds").toBeLessThan(100);
  });
});
