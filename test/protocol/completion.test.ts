import { describe, expect, it } from "vitest";
import type { ChecksumName } from "../../protocol/checksum.ts";
import { type FormField, readCompletion } from "../../protocol/completion.ts";

const digest = "ab".repeat(32);

function form(...pairs: readonly (readonly [string, string])[]): FormField[] {
  return pairs.map(([name, value]) => ({ name, value }));
}

function file(field: string, name: string, path: string, size = "3"): (readonly [string, string])[] {
  return [[`${field}.name`, name], [`${field}.content_type`, "text/plain"], [`${field}.path`, path], [`${field}.size`, size], [`${field}.sha256`, digest]];
}

/** As the service reads it when nginx wrote one file for each path. */
function read(fields: readonly FormField[], required: readonly ChecksumName[]): ReturnType<typeof readCompletion> {
  return readCompletion(fields, required, fields.filter(({ name }) => name.lastIndexOf(".path") > 0).length);
}

it("reads the classic form", () => {
  const { form: got, problems } = read(
    form(["description", "hello"], ...file("file1", "a.txt", "/s/incoming/1/0000000001"), ["submit", "Upload"], ["terminal", "yes"]),
    ["sha256"],
  );
  expect(problems).toEqual([]);
  expect(got).toEqual({
    files: [{ field: "file1", name: "a.txt", contentType: "text/plain", path: "/s/incoming/1/0000000001", size: 3, checksums: { sha256: digest } }],
    empty: [],
    description: "hello",
    terminal: true,
  });
});

it("reads two inputs, and two files of one input", () => {
  const { form: got, problems } = read(
    form(...file("a", "1", "/1"), ...file("a", "2", "/2"), ...file("b", "3", "/3"), ...file("a", "4", "/4")),
    ["sha256"],
  );
  expect(problems).toEqual([]);
  expect(got.files.map(({ field, name, path }) => [field, name, path])).toEqual([["a", "1", "/1"], ["a", "2", "/2"], ["b", "3", "/3"], ["a", "4", "/4"]]);
});

it("reads an input whose name has dots and brackets", () => {
  const { form: got } = read(form(...file("my.files[]", "x", "/1")), []);
  expect(got.files[0]?.field).toBe("my.files[]");
});

it("takes no ordinary field for a file", () => {
  const { form: got, problems } = read(form(["name", "x"], ["path", "/etc/passwd"], [".path", "/etc/passwd"], ["a.b", "c"]), ["sha256"]);
  expect(problems).toEqual([]);
  expect(got.files).toEqual([]);
});

it("sets inputs aside in which nothing was chosen, but keeps an empty file that has a name", () => {
  const { form: got } = read(form(...file("a", "", "/1", "0"), ...file("b", "empty.txt", "/2", "0"), ...file("c", "", "/3", "5")), []);
  expect(got.files.map(({ field }) => field)).toEqual(["b", "c"]);
  expect(got.empty.map(({ path }) => path)).toEqual(["/1"]);
});

it("has no description and no terminal where they are empty", () => {
  const { form: got } = read(form(["description", ""], ["terminal", ""]), []);
  expect(got).toMatchObject({ description: null, terminal: false });
});

it("ignores a checksum that the site does not compute: it is the client's word", () => {
  const { form: got, problems } = read(form(...file("f", "x", "/1"), ["f.md5", "zz"], ["f.crc32", "00000000"]), ["sha256"]);
  expect(problems).toEqual([]);
  expect(got.files[0]?.checksums).toEqual({ sha256: digest });
});

it("refuses a file that nginx did not write", () => {
  const both = form(...file("f", "x", "/1"), ...file("g", "y", "/someone-elses"));
  expect(readCompletion(both, ["sha256"], 1).problems).toEqual(["form: describes 2 files, but 1 were received"]);
  expect(readCompletion(both, ["sha256"], 0).problems).toEqual(["form: describes 2 files, but 0 were received"]);
});

describe("problems", () => {
  const rows: readonly (readonly [string, readonly (readonly [string, string])[], RegExp])[] = [
    ["no path", [["f.name", "x"], ["f.size", "1"], ["f.sha256", digest]], /^f\.path: missing$/],
    ["no name", [["f.path", "/1"], ["f.size", "1"], ["f.sha256", digest]], /^f\.name: missing$/],
    ["no size", [["f.name", "x"], ["f.path", "/1"], ["f.sha256", digest]], /^f\.size: missing$/],
    ["a size with a sign", file("f", "x", "/1", "-1"), /^f\.size: not a number of bytes, got "-1"$/],
    ["a size in hex", file("f", "x", "/1", "0x10"), /^f\.size: not a number/],
    ["a size beyond 2^53", file("f", "x", "/1", "9007199254740993"), /^f\.size: not a number/],
    ["no required checksum", [["f.name", "x"], ["f.path", "/1"], ["f.size", "1"]], /^f\.sha256: missing/],
    ["a checksum in capitals", [["f.name", "x"], ["f.path", "/1"], ["f.size", "1"], ["f.sha256", digest.toUpperCase()]], /^f\.sha256: not a checksum/],
    ["a client's own second path", [...file("f", "x", "/1"), ["f.path", "/2"]], /^f\.name: missing$/],
    ["one path twice", [...file("f", "x", "/1"), ...file("g", "y", "/1")], /^form: two files have the same path$/],
  ];
  it.each(rows)("%s", (_what, fields, expected) => {
    expect(read(form(...fields), ["sha256"]).problems.find((problem) => expected.test(problem))).toBeDefined();
  });

  it("tells all of them at once", () => {
    expect(readCompletion(form(["f.name", "x"], ["g.path", "/2"]), ["sha256", "md5"], 2).problems).toHaveLength(8);
  });
});

it("takes the folder of each file from the relativePath in its place, and of no file when there is another number of them", () => {
  const nameOf = (path: string, ...more: (readonly [string, string])[]) => read(form(...file("a", "x.txt", "/1"), ...more, ["relativePath", path]), []).form.files.map(({ name }) => name);
  expect(nameOf("run/7/x.txt")).toEqual(["run/7/x.txt"]);
  expect(nameOf("/../run/other.txt")).toEqual(["run/x.txt"]);
  expect(nameOf("x.txt")).toEqual(["x.txt"]);
  expect(nameOf("run/x.txt", ...file("b", "y.txt", "/2"))).toEqual(["x.txt", "y.txt"]);
  expect(nameOf("8/y.txt", ["relativePath", "run/7/x.txt"], ...file("a", "y.txt", "/2"))).toEqual(["run/7/x.txt", "8/y.txt"]);
  expect(nameOf("8/y.txt", ["relativePath", "x.txt"], ...file("a", "y.txt", "/2"))).toEqual(["x.txt", "8/y.txt"]);
  expect(nameOf("third", ["relativePath", "run/x.txt"], ["relativePath", "run/y.txt"], ...file("a", "y.txt", "/2"))).toEqual(["x.txt", "y.txt"]);
});
