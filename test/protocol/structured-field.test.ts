import { expect, it } from "vitest";
import { parseDictionary, parseItem } from "../../protocol/structured-field.ts";

it.each([
  ["?1", { kind: "boolean", value: true }],
  [" ?0 ", { kind: "boolean", value: false }],
  ["?1;a;b=2;c=\"x;y\\\"\"; d=:AA==:", { kind: "boolean", value: true }],
  ["007", { kind: "integer", value: 7 }],
  ["-5", { kind: "integer", value: -5 }],
  ["999999999999999", { kind: "integer", value: 999_999_999_999_999 }],
  [":YQ==:", { kind: "bytes", value: new Uint8Array([0x61]) }],
  ["1.5", { kind: "other" }],
  ["\"text\"", { kind: "other" }],
  ["a/b:c", { kind: "other" }],
  ["@1659578233", { kind: "other" }],
  ["%\"f%c3%bc\"", { kind: "other" }],
])("the item %s", (text, item) => expect(parseItem(text)).toEqual(item));

it.each(["", "?2", "?1 ;a", "?1;", "?1;A", "1000000000000000", "1.", "1.2345", "\"a", "\"ü\"", ":a", "?1, ?1", "(1 2)", "1\t", "%\"%C3\""])("no item: %s", (text) => {
  expect(parseItem(text)).toBeUndefined();
});

it("reads the members of a dictionary, of two with one key the last", () => {
  expect([...(parseDictionary("a=1, b;x=y,\tc=(1 \"2\";p  ?0);q=3 ,d=(),a=?0") ?? [])]).toEqual([
    ["a", { kind: "boolean", value: false }],
    ["b", { kind: "boolean", value: true }],
    ["c", { kind: "other" }],
    ["d", { kind: "other" }],
  ]);
  expect(parseDictionary("  ")?.size).toBe(0);
});

it.each(["a=1,", ",a=1", "a=1 b=2", "A=1", "a=", "a= 1", "a=(1", "a=(1,2)", "a=(1\"b\")", "1", "a=1;;b"])("no dictionary: %s", (text) => {
  expect(parseDictionary(text)).toBeUndefined();
});
