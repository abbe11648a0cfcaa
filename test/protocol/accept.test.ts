import { expect, it } from "vitest";
import { acceptsHtml } from "../../protocol/accept.ts";

it.each([
  [undefined, false],
  ["", false],
  ["*/*", false],
  ["application/json", false],
  ["text/*", false],
  ["text/html", true],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true],
  ["application/json, TEXT/HTML ; q=0.5", true],
  ["text/html;q=0", false],
  ["text/html;q=0.000, */*", false],
  ["text/htmlx", false],
])("Accept: %s -> page %s", (accept, expected) => {
  expect(acceptsHtml(accept)).toBe(expected);
});
