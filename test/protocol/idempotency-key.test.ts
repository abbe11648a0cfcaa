import { expect, it } from "vitest";
import { parseIdempotencyKey } from "../../protocol/idempotency-key.ts";

const uuid = "8e03978e-40d5-43dd-bc93-6894a57f9324";

it.each([
  ["", null],
  [`"${uuid}"`, uuid],
  [uuid, undefined],
  [`"${"a".repeat(15)}"`, undefined],
  [`"${"a".repeat(16)}"`, "a".repeat(16)],
  [`"${"a".repeat(128)}"`, "a".repeat(128)],
  [`"${"a".repeat(129)}"`, undefined],
  [`"${uuid}\\""`, undefined],
  [`"${uuid} ${uuid}"`, undefined],
  [`"${uuid}", "${uuid}"`, undefined],
])("reads %s", (header, key) => {
  expect(parseIdempotencyKey(header)).toBe(key);
});
