import { expect, it } from "vitest";
import { readUploadTerms } from "../../app/upload-terms.ts";

function read(headers: Readonly<Record<string, string>>) {
  return readUploadTerms((name) => headers[name] ?? "");
}

it("reads what nginx says", () => {
  const headers = { "X-Slipway-Upload-Path": "/in/box", "X-Slipway-Tus-Path": "/tus/", "X-Slipway-Max-File-Size": "20g", "X-Slipway-Min-Free-Space": "1m", "X-Slipway-Checksums": "sha256,md5" };
  expect(read(headers)).toEqual({ path: "/in/box", tusPath: "/tus/", maxFileSize: 21_474_836_480, minFreeSpace: 1_048_576, checksums: ["sha256", "md5"] });
});

it("asks for nothing where nginx says nothing", () => {
  expect(read({})).toEqual({ path: "/upload", tusPath: null, maxFileSize: 0, minFreeSpace: 0, checksums: [] });
});

it.each([
  ["X-Slipway-Upload-Path", "upload"],
  ["X-Slipway-Upload-Path", "/up load"],
  ["X-Slipway-Tus-Path", "tus"],
  ["X-Slipway-Max-File-Size", "-1"],
  ["X-Slipway-Max-File-Size", "1.5g"],
  ["X-Slipway-Max-File-Size", "9007199254740993"],
  ["X-Slipway-Min-Free-Space", "half"],
  ["X-Slipway-Checksums", "sha256,sha3"],
  ["X-Slipway-Checksums", "md5,md5"],
])("refuses %s: %s", (name, value) => {
  expect(() => read({ [name]: value })).toThrow(`${name}: not usable, got ${JSON.stringify(value)}`);
});
