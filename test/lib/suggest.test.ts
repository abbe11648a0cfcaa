import { expect, it } from "vitest";
import { suggest } from "../../lib/suggest.ts";

it.each([
  ["maxfilesize", ["maxFileSize", "maxBodySize"], "maxFileSize"],
  ["maxFilSize", ["maxFileSize", "maxBodySize"], "maxFileSize"],
  ["prot", ["path", "port"], "port"],
  ["serverName", ["name", "serverNames"], "serverNames"],
  ["colour", ["name", "serverNames"], undefined],
  ["", ["name"], undefined],
  ["x".repeat(5000), ["name"], undefined],
])("%s of %j is %s", (word, known, expected) => {
  expect(suggest(word, known)).toBe(expected);
});
