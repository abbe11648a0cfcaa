import { describe, expect, it } from "vitest";
import { errorKinds } from "../../../protocol/errors.ts";
import { outcomeOf, problemBeforeSending, problemOfBreakdown } from "../../../web/browser/outcome.ts";

const DONE = { message: "Upload Complete", id: "01J", name: "a.bin", size: 5, checksums: { sha256: "ab", md5: "cd" }, description: null };

describe("outcomeOf", () => {
  it("reads the answer of a finished upload", () => {
    expect(outcomeOf(200, JSON.stringify(DONE))).toEqual({
      kind: "done",
      result: { id: "01J", name: "a.bin", size: 5, checksums: { sha256: "ab", md5: "cd" } },
    });
  });

  it("reads an error with and without a request id", () => {
    const error = { code: "too_large", status: 413, message: "Too large.", hint: "Split it." };
    expect(outcomeOf(413, JSON.stringify({ error }))).toEqual({ kind: "fail", problem: { message: "Too large.", hint: errorKinds.too_large.hint } });
    const known = { ...error, requestId: "00ff" };
    expect(outcomeOf(413, JSON.stringify({ error: known }))).toMatchObject({ problem: { requestId: "00ff" } });
  });

  it.each([
    [502, "<html>Bad Gateway</html>"],
    [500, ""],
    [500, "null"],
    [500, "[1]"],
    [500, '{"error":"text"}'],
    [500, '{"error":{"message":7}}'],
    [200, "<html>log in first</html>"],
    [200, '{"message":"Upload Complete"}'],
    [302, JSON.stringify(DONE)],
  ])("says that %d %j is no answer it understands", (status, body) => {
    const outcome = outcomeOf(status, body);
    expect(outcome.kind).toBe("fail");
    expect(outcome).toHaveProperty("problem.message", expect.stringContaining(String(status)));
  });

  it("leaves out a checksum that is no text", () => {
    expect(outcomeOf(200, JSON.stringify({ ...DONE, checksums: { sha256: 7, md5: "cd" } }))).toMatchObject({
      result: { checksums: { md5: "cd" } },
    });
  });
});

describe("problemOfBreakdown", () => {
  const BROKEN = { isOnline: true, isReadable: true, loaded: 5_000_000, total: 9_000_000, isSent: false };

  it.each([
    [{ ...BROKEN, isReadable: false }, "can no longer read"],
    [{ ...BROKEN, isOnline: false }, "offline"],
    [{ ...BROKEN, loaded: 0 }, "could not be reached"],
    [BROKEN, "closed after 5\u00a0MB of 9\u00a0MB"],
    [{ ...BROKEN, loaded: 9_000_000, isSent: true }, "before the server answered"],
  ])("%# says %s", (breakdown, part) => {
    const problem = problemOfBreakdown(breakdown);
    expect(problem.message).toContain(part);
    expect(problem.hint).not.toBe("");
  });
});

describe("problemBeforeSending", () => {
  it.each([
    [10, 0],
    [10, 10],
    [0, 10],
  ])("lets %d bytes pass a limit of %d", (size, limit) => {
    expect(problemBeforeSending(size, limit)).toBeUndefined();
  });

  it("names size and limit", () => {
    expect(problemBeforeSending(60_000_000, 50_000_000)?.message).toBe("The file has 60\u00a0MB; this site takes up to 50\u00a0MB a file.");
  });

  it("is exact where rounded sizes would read the same", () => {
    expect(problemBeforeSending(21_474_836_481, 21_474_836_480)?.message).toContain("21,474,836,481\u00a0bytes");
    expect(problemBeforeSending(1_000_001, 1_000_000)?.message).toContain("up to 1,000,000\u00a0bytes a file");
  });
});
