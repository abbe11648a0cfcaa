import { describe, expect, it } from "vitest";
import { parseSize, sizeWithoutG } from "../../lib/size.ts";

describe("parseSize", () => {
  it.each([
    ["0", 0],
    ["1", 1],
    ["16k", 16_384],
    ["16K", 16_384],
    ["1536m", 1_610_612_736],
    ["20g", 21_474_836_480],
    ["20G", 21_474_836_480],
    ["8388607g", 9_007_198_180_999_168],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseSize(text)).toEqual({ text, bytes });
  });

  it.each(["", "k", "1.5g", "1GB", "1t", "-1", "+1", " 1m", "1m ", "1 m", "1m\n", "0x10", "01m", "1e3", "٣m", "8388608g", "9007199254740992", "99999999999999999999"])("%j is not a size", (text) => {
    expect(parseSize(text)).toBeUndefined();
  });
});

describe("sizeWithoutG", () => {
  it.each([
    ["2g", "2048m"],
    ["2G", "2048m"],
    ["512k", "512k"],
    ["7m", "7m"],
    ["0", "0"],
  ])("%s becomes %s", (text, expected) => {
    expect(sizeWithoutG(parseSize(text)!)).toBe(expected);
    expect(parseSize(expected)!.bytes).toBe(parseSize(text)!.bytes);
  });
});
