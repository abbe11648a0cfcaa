import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { isChecksum, isChecksumName, reprDigest } from "../../protocol/checksum.ts";

// RFC 9530, appendix B.1: {"hello": "world"} with a line feed at the end.
const example = createHash("sha256").update('{"hello": "world"}\n').digest("hex");

it("writes the digest of the RFC's example", () => {
  expect(reprDigest({ sha256: example })).toBe("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
});

it("writes every active algorithm and no deprecated one", () => {
  const hash = (name: string): string => createHash(name).update("x").digest("hex");
  const value = reprDigest({ sha256: hash("sha256"), sha512: hash("sha512"), md5: hash("md5"), sha1: hash("sha1") });
  const base64 = (name: string): string => createHash(name).update("x").digest("base64");
  expect(value).toBe(`sha-256=:${base64("sha256")}:, sha-512=:${base64("sha512")}:`);
});

it("writes no header where there is nothing to write", () => {
  expect(reprDigest({ md5: "0".repeat(32), crc32: "0".repeat(8) })).toBeUndefined();
});

it.each([
  ["md5", "d41d8cd98f00b204e9800998ecf8427e", true],
  ["crc32", "00000000", true],
  ["sha256", example, true],
  ["sha256", example.toUpperCase(), false],
  ["sha256", example.slice(1), false],
  ["sha256", `${example.slice(1)}g`, false],
  ["crc32", "", false],
] as const)("%s %s: %s", (name, value, expected) => {
  expect(isChecksum(name, value)).toBe(expected);
});

it("knows only its own names", () => {
  expect(["md5", "sha1", "sha256", "sha512", "crc32"].every(isChecksumName)).toBe(true);
  expect(["toString", "__proto__", "SHA256", ""].some(isChecksumName)).toBe(false);
});
