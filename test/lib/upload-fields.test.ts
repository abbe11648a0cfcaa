import { describe, expect, it } from "vitest";
import type { Problem } from "../../lib/problems.ts";
import { endValue, fieldRegex, startName, startValue } from "../../lib/upload-fields.ts";

function whatsWrong(type: typeof startName, value: unknown): string | undefined {
  const problems: Problem[] = [];
  type.parse(value, "p", (problem) => problems.push(problem));
  return problems.map(({ what, fix }) => `${what}; ${fix}`).join("\n") || undefined;
}

describe("templates", () => {
  it.each(["file", "$upload_field_name.name", "$upload_field_name", "x-$upload_file_number.y", "a.b_c-D9"])("take %s", (value) => {
    expect(whatsWrong(startName, value)).toBeUndefined();
  });

  it.each(["", "a b", "$", "$x", "$upload_file_namex", "${upload_file_name}", "$upload_file_name;", "a\n", "ä", "$host", "$$upload_file_name", "\\$x", '"', 7])("refuse %j", (value) => {
    expect(whatsWrong(startName, value)).toBeDefined();
  });

  it("let a value be a number, but no name, which would lose its place among the others", () => {
    expect(whatsWrong(startValue, "7")).toBeUndefined();
    expect(whatsWrong(startName, "7")).toMatch(/^not a field name template: nothing but digits; use /);
  });

  it("let a value be empty, but no name", () => {
    expect(whatsWrong(startValue, "")).toBeUndefined();
    expect(whatsWrong(startName, "")).toMatch(/not a field name template/);
  });

  it("know what is known only at the end", () => {
    expect(whatsWrong(endValue, "$upload_file_sha256_uc-$upload_file_size")).toBeUndefined();
    expect(whatsWrong(startValue, "$upload_file_sha256")).toBe("not a field value template: $upload_file_sha256 is not known before the file has ended; move it to upload.aggregateFields");
  });
});

describe("fieldRegex", () => {
  it.each(["", "^submit$", "^(a|b)$", "^a$|^b$", "field_\\d+", "[a-z0-9_.-]*", "(?:x)?", "^[^a-c]+$", "a\\.b", "\\[\\]$", "x*?", "(a$)"])("takes %j", (value) => {
    expect(whatsWrong(fieldRegex, value)).toBeUndefined();
  });

  it.each(['a"b', "a'b", "a;b", "a{2}", "a}b", "a b", "a\nb", "a\0b", "a#b", "$a", "a$b", "\\$", "\\\\", "\\n", "\\t", "\\r", "\\", "\\x41", "(?=a)", "(?<n>a)", "${x}", "%", "ä", "(", "[a", "*", "[]", "[^]", "a++", "x".repeat(201), null])("refuses %j", (value) => {
    expect(whatsWrong(fieldRegex, value)).toBeDefined();
  });
});
