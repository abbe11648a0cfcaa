import { describe, expect, it } from "vitest";
import { brokenTusRule, checksumField, nameIn, parseConcat, parseMetadata, partPlace } from "../../protocol/tus.ts";

const header = (headers: Readonly<Record<string, string>>) => (name: string): string => headers[name] ?? "";

describe("header rules", () => {
  it.each([
    [{}],
    [{ "Upload-Offset": "0", "Upload-Length": "9007199254740991" }],
    [{ "Upload-Defer-Length": "1", "Upload-Concat": "partial" }],
    [{ "Upload-Concat": "final;/tus/a /tus/b", "Upload-Metadata": "filename d29ybGQ=,empty,is_confidential" }],
  ])("are kept by %j", (headers) => {
    expect(brokenTusRule(header(headers))).toBeUndefined();
  });

  it.each([
    ["Upload-Offset", "-1"],
    ["Upload-Offset", "1.5"],
    ["Upload-Length", "0x10"],
    ["Upload-Length", "9007199254740992"],
    ["Upload-Defer-Length", "0"],
    ["Upload-Concat", "partly"],
    ["Upload-Concat", "final;"],
    ["Upload-Metadata", "a b c"],
    ["Upload-Metadata", "a !!!"],
    ["Upload-Metadata", "a YQ==,a YQ=="],
    ["Upload-Metadata", ","],
    ["Upload-Checksum", "sha1"],
    ["Upload-Checksum", "sha1 "],
    ["Upload-Checksum", "sha384 OLBgp1GsljhM2TJ-+HU="],
    ["Upload-Checksum", "toString qZk+NkcGgWq6PiVxeFDCbJzQ2J0="],
    ["Upload-Checksum", "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2A=="],
    ["Upload-Checksum", "sha1 !!!!"],
    ["Upload-Checksum", "crc32 ODkxNTY4NTc4"],
    ["Upload-Checksum", "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0= sha1"],
  ])("are broken by %s: %s", (name, value) => {
    expect(brokenTusRule(header({ [name]: value }))?.name).toBe(name);
  });
});

it("decodes metadata as UTF-8", () => {
  expect([...(parseMetadata(`filename ${Buffer.from("käse 🚀").toString("base64")}, empty ,flag`) ?? [])]).toEqual([["filename", "käse 🚀"], ["empty", ""], ["flag", ""]]);
  expect([...(parseMetadata("") ?? ["none"])]).toEqual([]);
});

it("reads the parts of a final upload in their order", () => {
  expect(parseConcat("final;/tus/b https://x/tus/a")).toEqual({ kind: "final", parts: ["/tus/b", "https://x/tus/a"] });
  expect(parseConcat("final; /tus/b")).toEqual({ kind: "final", parts: ["/tus/b"] });
  expect(parseConcat("partial")).toEqual({ kind: "partial" });
});

it("has every checksum as a field of HTTP", () => {
  expect(checksumField("sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=")).toBe("sha=:qZk+NkcGgWq6PiVxeFDCbJzQ2J0=:");
  expect(checksumField(" md5 kAFQmDzST7DWlj99KOF/cg==")).toBe("md5=:kAFQmDzST7DWlj99KOF/cg==:");
  expect(checksumField("crc32 NSRBwg==")).toBe("crc32=:NSRBwg==:");
  expect(checksumField(`sha256 ${"A".repeat(43)}=`)).toBe(`sha-256=:${"A".repeat(43)}=:`);
  expect(checksumField(`sha512 ${"A".repeat(86)}==`)).toBe(`sha-512=:${"A".repeat(86)}==:`);
});

describe("the place of a part", () => {
  const key = "k".repeat(16);
  const place = (entries: Readonly<Record<string, string>>, length = 10): unknown => partPlace(new Map(Object.entries(entries)), length);

  it("is known when file, offset and total are there", () => {
    expect(place({ file: key, offset: "5", total: "15" })).toEqual({ file: key, offset: 5, total: 15 });
  });

  it.each([
    [{ file: key, offset: "5" }],
    [{ file: "short", offset: "5", total: "15" }],
    [{ file: `${key}/..`, offset: "5", total: "15" }],
    [{ file: key, offset: "6", total: "15" }],
    [{ file: key, offset: "-1", total: "15" }],
  ])("is not known from %j", (entries) => {
    expect(place(entries)).toBeUndefined();
  });
});

it.each([
  [{ filename: "a" }, "a"], [{ name: "b" }, "b"], [{ filename: "a", relativePath: "x/a" }, "x/a"], [{ filename: "a", relativePath: "null" }, "a"],
  [{ filename: "x/y/a" }, "x/y/a"], [{}, undefined],
])("takes from metadata %j the name %j", (metadata, name) => expect(nameIn(new Map(Object.entries(metadata)))).toBe(name));
