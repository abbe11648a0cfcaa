import { describe, expect, it } from "vitest";
import { parseDuration } from "../../lib/duration.ts";

describe("parseDuration", () => {
  it.each([
    ["500ms", 500, 1],
    ["60s", 60_000, 60],
    ["60", 60_000, 60],
    ["1m30s", 90_000, 90],
    ["24h", 86_400_000, 86_400],
    ["1w2d3h4m5s6ms", 788_645_006, 788_646],
    ["0s", 0, 0],
    ["2m1ms", 120_001, 121],
  ])("%s is %d milliseconds, %d seconds", (text, milliseconds, seconds) => {
    expect(parseDuration(text)).toEqual({ text, milliseconds, seconds });
  });

  it.each(["", "s", "1.5s", "1M", "1y", "30s1m", "1m1m", "1m 30s", "-1s", "1s\n", "1min", "1mss", "99999999999s"])("%j is not a duration", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
