import { expect, it } from "vitest";
import { plainLine, plainText } from "../../protocol/text.ts";

it.each([
  ["a\0b", "ab"],
  ["a\r\nb\tc", "abc"],
  ["\x1b[31mred", "[31mred"],
  ["user\u202Etxt.exe", "usertxt.exe"],
  ["👩‍👩‍👧 می‌خواهم", "👩‍👩‍👧 می‌خواهم"],
  ["\uDC00", "\uFFFD"],
])("line %j", (text, expected) => {
  expect(plainLine(text)).toBe(expected);
});

it.each([
  ["one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"],
  ["a\tb\0c\u2066d", "a\tbcd"],
  ["a\u2028b", "a\nb"],
  ["", ""],
])("text %j", (text, expected) => {
  expect(plainText(text)).toBe(expected);
});
