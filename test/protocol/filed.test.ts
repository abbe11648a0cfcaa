import { expect, it } from "vitest";
import { filedQuestion, findFiled } from "../../protocol/filed.ts";

const file = { path: "run/7/a b.bin", size: 5, sha256: "ab".repeat(32) };
const row = { id: "01X", name: "a b.bin", folder: "run/7", size: 5, checksums: { sha256: file.sha256 } };

it("asks for the digest", () => {
  expect(filedQuestion(file)).toBe(`/api/uploads?q=${file.sha256}&limit=200`);
});

it.each<[string, object, string | undefined]>([
  ["the same file", {}, "01X"],
  ["another folder", { folder: "run/8" }, undefined],
  ["no folder", { folder: null }, undefined],
  ["another name", { name: "b.bin" }, undefined],
  ["another size", { size: 6 }, undefined],
  ["another digest", { checksums: { sha256: "cd".repeat(32) } }, undefined],
  ["no digest", { checksums: {} }, undefined],
  ["no id", { id: undefined }, undefined],
])("finds a row: %s", (_what, change, id) => {
  expect(findFiled({ uploads: [{ ...row, ...change }] }, file)).toBe(id);
});

it("finds a file as the site has called it", () => {
  const odd = { ...file, path: "../.hidden\u202e.txt" };
  expect(findFiled({ uploads: [{ ...row, name: "hidden.txt", folder: null }] }, odd)).toBe("01X");
});

it.each([[null], [[]], [{}], [{ uploads: "x" }]])("finds nothing in an answer that is no list: %j", (answer) => {
  expect(findFiled(answer, file)).toBeUndefined();
});
