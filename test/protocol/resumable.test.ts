import { expect, it } from "vitest";
import { dispositionName, parseBoolean, parseLength, resourceAddress, resourceId, uploadLimit, writeBoolean } from "../../protocol/resumable.ts";

it.each([["?1", true], ["?0", false], [" ?1 ", true], ["1", undefined], ["true", undefined], ["", undefined], ["?2", undefined], ["?1;a=b", true], ["?1, ?1", undefined]])("the Boolean %j is %s", (text, value) => {
  expect(parseBoolean(text)).toBe(value);
  if (value !== undefined) expect(parseBoolean(writeBoolean(value))).toBe(value);
});

it.each([["0", 0], ["007", 7], ["100;a=b", 100], ["-1", undefined], ["1.0", undefined], ["1000000000000000", undefined], ["0x10", undefined], ["", undefined]])("the length %j is %s", (text, value) => {
  expect(parseLength(text)).toBe(value);
});

it("says what the server takes", () => {
  expect(uploadLimit(0, 60)).toBe("max-age=60");
  expect(uploadLimit(1000, 60)).toBe("max-size=1000, max-age=60");
});

it("finds the id in the address of an upload resource, and nowhere else", () => {
  const id = "01M86RGR5B9W2GN90935R8BHCK";
  expect(resourceId(resourceAddress("/upload/", id))).toBe(id);
  expect(resourceAddress("/a/upload", id)).toBe(`/a/upload/~${id}`);
  for (const path of ["/upload/", `/upload/${id}`, `/upload/~${id}/x`, `/upload/~${id.toLowerCase()}`, "/upload/~backup.tar"]) expect(resourceId(path)).toBeUndefined();
});

it.each([
  ['attachment; filename="a b.bin"', "a b.bin"],
  ['attachment; filename="a \\"b\\".bin"', 'a "b".bin'],
  ["attachment; filename=plain.bin", "plain.bin"],
  ["attachment; filename=\"x\"; filename*=UTF-8''k%C3%A4se", "käse"],
  ["attachment; filename=\"x\"; filename*=UTF-8''%ZZ", "x"],
  ["attachment", ""],
  ["", ""],
])("the file name of %s", (value, name) => {
  expect(dispositionName(value)).toBe(name);
});
