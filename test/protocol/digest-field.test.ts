import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { disagrees, parseDigestField, wanted } from "../../protocol/digest-field.ts";

const hex = createHash("sha256").update("x").digest("hex");
const base64 = createHash("sha256").update("x").digest("base64");
const sha512 = createHash("sha512").update("x").digest("base64");

it("reads the algorithms that it knows, and leaves the others", () => {
  expect(parseDigestField(`sha-256=:${base64}:`)).toEqual([{ checksum: "sha256", hex }]);
  expect(parseDigestField(`md5=:AAAA:, sha-512=:${sha512}: ,unixsum=:AA==:`)?.map(({ checksum }) => checksum)).toEqual(["sha512"]);
  expect(parseDigestField("")).toEqual([]);
  expect(parseDigestField(`constructor=:AAAA:, unixsum=30637, crc32c;a, sha-256=:${base64}:;from="a, b"`)).toEqual([{ checksum: "sha256", hex }]);
  expect(parseDigestField(`sha-256=:${"A".repeat(43)}=:, sha-256=:${base64.replace("=", "")}:`)).toEqual([{ checksum: "sha256", hex }]);
});

it.each(["sha-256", `sha-256=${base64}`, "sha-256=:AAAA:", "sha-256=:!:", `sha-256=:${base64}:,`, "SHA-256=:AAAA:"])("refuses %s", (value) => {
  expect(parseDigestField(value)).toBeUndefined();
});

it("compares with what was computed, and with nothing else", () => {
  const members = parseDigestField(`sha-256=:${base64}:`) ?? [];
  expect(disagrees(members, { sha256: hex })).toBe(false);
  expect(disagrees(members, { sha256: "00".repeat(32) })).toBe(true);
  expect(disagrees(members, { md5: "00".repeat(16) })).toBe(false);
});

it.each([
  ["sha-256=1", ["sha256"]],
  ["sha-512=3, sha-256=10", ["sha512", "sha256"]],
  ["sha-512=0, sha-256=1", ["sha256"]],
  ["md5=9", ["sha256", "sha512"]],
  ["", ["sha256", "sha512"]],
  ["nonsense", ["sha256", "sha512"]],
  ["Nonsense=", ["sha256", "sha512"]],
  ["sha-512=0", ["sha256"]],
  ["sha-512=0, sha-256=0", []],
  ["sha-256=11, sha-512=3;why", ["sha512"]],
])("Want-Repr-Digest: %s", (value, names) => {
  expect(Object.keys(wanted(value, { sha256: "a", sha512: "b" }))).toEqual(names);
});
