import { expect, it } from "vitest";
import { readUploadPath } from "../../protocol/upload-path.ts";

it.each(["/upload", "/in/box", "/~me/a-b.c", "/"])("takes the path %s", (path) => expect(readUploadPath(path)).toBe(path));

it.each(["", "upload", "//evil.example/upload", "https://evil.example/", "/a b", "/a?x", "/\\evil"])("takes no %j for a path of the same site", (text) => {
  expect(readUploadPath(text)).toBeUndefined();
});
