import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  algorithmName,
  displayName,
  formatBytes,
  formatCount,
  formatDuration,
  formatExactBytes,
  formatSpeed,
  formatUtc,
  percentOf,
  preferredChecksum,
} from "../../web/format.ts";

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [1001, "1.00 kB"],
    [1234, "1.23 kB"],
    [9_994, "9.99 kB"],
    [9_996, "10.0 kB"],
    [99_960, "100 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [50_000_000, "50 MB"],
    [4_294_967_296, "4.29 GB"],
    [999_999_999_999, "1.00 TB"],
    [123_456_000_000_000_000, "123 PB"],
    [5_000_000_000_000_000_000, "5000 PB"],
    [-5, "0 B"],
    [Number.NaN, "0 B"],
    [Infinity, "0 B"],
    [12.7, "12 B"],
  ])("%d is %s", (bytes, expected) => {
    expect(plain(formatBytes(bytes))).toBe(expected);
  });

  it("never breaks between number and unit, and never says 1000 of a unit that has a next", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e15 }), (bytes) => {
        expect(formatBytes(bytes)).toMatch(/^\d{1,3}(\.\d{1,2})?\u00a0(B|kB|MB|GB|TB|PB)$/);
      }),
    );
  });
});

it.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [999, "999 bytes"],
  [1000, "1,000 bytes"],
  [4_294_967_296, "4,294,967,296 bytes"],
])("formatExactBytes(%d) is %s", (bytes, expected) => {
  expect(plain(formatExactBytes(bytes))).toBe(expected);
});

it.each([
  ["de", "1,23 MB", "4.294.967.296 Byte", "3 Tage", "10.000"],
  ["fr", "1,23 Mo", "4 294 967 296 octets", "3 jours", "10 000"],
] as const)("numbers and units are those of the language: %s", (language, size, exact, days, count) => {
  expect(plain(formatBytes(1_234_000, language))).toBe(size);
  expect(plain(formatExactBytes(4_294_967_296, language))).toBe(exact);
  expect(plain(formatDuration(259_200, language))).toBe(days);
  expect(plain(formatCount(10_000, language))).toBe(count);
});

it("formatSpeed is a size a second", () => {
  expect(plain(formatSpeed(2_360_000))).toBe("2.36 MB/s");
});

it.each([
  [0, "1 s"],
  [0.2, "1 s"],
  [59, "59 s"],
  [59.5, "1 min"],
  [61, "1 min 1 s"],
  [599, "9 min 59 s"],
  [600, "10 min"],
  [601, "11 min"],
  [3600, "1 h"],
  [3601, "1 h 1 min"],
  [7500, "2 h 5 min"],
  [172_800, "2 days"],
  [300_000, "3 days"],
  [Infinity, ""],
  [Number.NaN, ""],
])("formatDuration(%d) is %j", (seconds, expected) => {
  expect(plain(formatDuration(seconds))).toBe(expected);
});

it.each([
  [0, 0, 100],
  [0, 10, 0],
  [999, 1000, 99],
  [1000, 1000, 100],
  [2000, 1000, 100],
  [-1, 1000, 0],
])("percentOf(%d, %d) is %d", (done, total, expected) => {
  expect(percentOf(done, total)).toBe(expected);
});

it.each([
  ["2026-11-22T20:47:59.123Z", "2026-11-22 20:47 UTC"],
  ["2026-11-22T21:47:00+01:00", "2026-11-22 20:47 UTC"],
  ["not a time", "not a time"],
])("formatUtc(%s) is %s", (iso, expected) => {
  expect(formatUtc(iso)).toBe(expected);
});

describe("displayName", () => {
  it("shows a name whose letters are turned around for what it is", () => {
    expect(displayName("invoice\u202efdp.exe")).toBe("invoice\ufffdfdp.exe");
  });

  it.each(["report.pdf", "שלום.txt", "تقرير.pdf", "a\u200db.txt", "\u{1f468}\u200d\u{1f469}.png"])("leaves %j alone", (name) => {
    expect(displayName(name)).toBe(name);
  });
});

describe("preferredChecksum", () => {
  it("takes SHA-256 before others", () => {
    expect(preferredChecksum({ md5: "m", sha256: "s" })).toEqual({ algorithm: "sha256", digest: "s" });
  });

  it("takes what there is", () => {
    expect(preferredChecksum({ crc32: "c" })).toEqual({ algorithm: "crc32", digest: "c" });
    expect(preferredChecksum({ blake3: "b" })).toEqual({ algorithm: "blake3", digest: "b" });
    expect(preferredChecksum({})).toBeNull();
  });
});

it("algorithmName gives the usual spelling, or the name itself", () => {
  expect(algorithmName("sha256")).toBe("SHA-256");
  expect(algorithmName("blake3")).toBe("blake3");
});
