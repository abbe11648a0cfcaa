import { expect, it } from "vitest";
import { matcher } from "../../client/glob.ts";

it.each([
  ["*.tmp", "a/b/c.tmp", true], ["*.tmp", "c.tmp.gz", false], ["cache", "a/cache/x", true], ["cache/", "a/cache/x", true],
  ["cache/", "a/cache", false], ["a/*.c", "a/x.c", true], ["a/*.c", "a/b/x.c", false], ["a/**/x.c", "a/x.c", true],
  ["a/**/x.c", "a/b/c/x.c", true], ["a/**", "a/b/c", true], ["/x.c", "x.c", true], ["/x.c", "a/x.c", false],
  ["run-?", "run-1/x", true], ["run-[0-3]", "run-2", true], ["run-[!0-3]", "run-2", false], ["a.c", "abc", false],
  ["a+(b)", "a+(b)", true], ["[", "[", true], ["ü*", "über", true],
])("%s against %s is %s", (glob, path, matches) => expect(matcher([glob])(path)).toBe(matches));

it("holds a folder against the patterns of folders", () => {
  expect(matcher(["cache/"])("a/cache", true)).toBe(true);
  expect(matcher([])("a", true)).toBe(false);
});
