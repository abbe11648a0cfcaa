import { describe, expect, it } from "vitest";
import { formatProblem, showValue, SiteProblems } from "../../lib/problems.ts";

describe("formatProblem", () => {
  it("says where, what, the value and the fix", () => {
    const problem = { path: "upload.maxFileSize", what: "not an nginx size", got: "1.5g", fix: 'use an integer with k, m or g ("1536m")' };
    expect(formatProblem(problem)).toBe('site.upload.maxFileSize: not an nginx size, got "1.5g"; use an integer with k, m or g ("1536m")');
  });

  it("leaves out a value that there is not", () => {
    expect(formatProblem({ path: "tls.key", what: "missing", fix: "name a file" })).toBe("site.tls.key: missing; name a file");
  });

  it("names the site as a whole", () => {
    expect(formatProblem({ path: "", what: "not an object", got: null, fix: "use { }" })).toBe("site: not an object, got null; use { }");
  });
});

describe("showValue", () => {
  const circular: unknown[] = [];
  circular.push(circular);

  it.each([
    ["a\nb", '"a\\nb"'],
    [12, "12"],
    [undefined, "undefined"],
    [() => 1, "a function"],
    [12n, "12n"],
    [Symbol("s"), "Symbol(s)"],
    ["x".repeat(200), `"${"x".repeat(79)}... (202 characters)`],
  ])("shows %o on one line", (value, expected) => {
    expect(showValue(value)).toBe(expected);
  });

  it("shows what JSON cannot", () => {
    expect(showValue(circular)).toBe("");
  });
});

it("throws all problems at once", () => {
  const error = new SiteProblems([
    { path: "a", what: "wrong", fix: "x" },
    { path: "b", what: "wrong", fix: "y" },
  ]);
  expect(error.problems).toEqual(["site.a: wrong; x", "site.b: wrong; y"]);
  expect(error.message).toBe("site.a: wrong; x\nsite.b: wrong; y");
});
