import { describe, expect, it } from "vitest";
import { bytes, planLine, printable, resultLine, resultObject, resumedLine, seconds, summaryLine } from "../../client/display.ts";
import type { PlannedFile } from "../../client/plan.ts";

const file: PlannedFile = { argument: "data/run.h5", path: "/data/run.h5", name: "run.h5", size: 4_294_967_296 };
const done = { ok: true, id: "01ABC", name: "run.h5", size: 4_294_967_296, resumed: 0, sha256: "ab".repeat(32), checked: true, ms: 8_000 } as const;
const refused = { ok: false, kind: "refused", code: "too_large", status: 413, message: "the file is larger than 1 GiB", hint: "split it" } as const;

describe("what push shows", () => {
  it.each([
    [0, "0 B"], [1023, "1023 B"], [1024, "1.0 KiB"], [1536, "1.5 KiB"], [102_400, "100 KiB"], [1_048_575, "1.0 MiB"],
    [4_294_967_296, "4.0 GiB"], [5e15, "4547 TiB"],
  ])("writes %d bytes as %s", (count, text) => expect(bytes(count)).toBe(text));

  it.each([[0, "0 s"], [59.4, "59 s"], [60, "1 min 00 s"], [3599, "59 min 59 s"], [3600, "1 h 00 min"], [7380, "2 h 03 min"]])(
    "writes %d seconds as %s",
    (count, text) => expect(seconds(count)).toBe(text),
  );

  it("tells number and size before sending", () => {
    expect(planLine({ files: [file, { ...file, size: 0 }] }, "localhost:8443")).toBe("2 files, 4.0 GiB, to localhost:8443");
    expect(planLine({ files: [file] }, "localhost")).toBe("1 file, 4.0 GiB, to localhost");
  });

  it("tells how all of it ended", () => {
    const summary = { files: 4, arrived: 2, bytes: 1024, resumed: 0, failed: 1, unreadable: 0, skipped: 3, before: 0, ms: 1000, exitCode: 3 } as const;
    expect(summaryLine(summary)).toBe("2 of 4 files arrived, 1.0 KiB in 1 s, 1.0 KiB/s; 1 failed; 1 not sent; 3 skipped");
    expect(summaryLine({ ...summary, resumed: 512 })).toContain("arrived, 1.0 KiB, of which 512 B sent now in 1 s, 512 B/s; 1 failed");
  });

  it("tells how a file ended", () => {
    expect(resultLine(file, done)).toBe(`ok    data/run.h5: 4.0 GiB in 8 s, 512 MiB/s\n      id 01ABC, SHA-256 ${"ab".repeat(32)}`);
    expect(resultLine(file, { ...done, checked: false })).toContain("the site computes none to compare with");
    expect(resultLine(file, refused)).toBe("FAIL  data/run.h5: the file is larger than 1 GiB (413 too_large); split it");
  });

  it("counts for the speed of a file that went on only what was sent now", () => {
    const GiB = 1024 ** 3;
    expect(resumedLine(file, 3 * GiB)).toBe("note  data/run.h5 goes on where it stopped: the site has 3.0 GiB of 4.0 GiB already");
    expect(resultLine(file, { ...done, resumed: 3 * GiB })).toContain("ok    data/run.h5: 4.0 GiB, of which 1.0 GiB sent now in 8 s, 128 MiB/s\n");
    expect(resumedLine(file, file.size)).toContain("the site has all of its 4.0 GiB already");
    expect(resultLine(file, { ...done, resumed: file.size })).toContain("ok    data/run.h5: 4.0 GiB, all there already\n");
  });

  it("gives programs one object for each file", () => {
    expect(resultObject(file, done)).toEqual({ file: "data/run.h5", ok: true, id: "01ABC", name: "run.h5", size: 4_294_967_296, resumed: 0, sha256: "ab".repeat(32), checked: true, ms: 8000 });
    expect(resultObject(file, refused)).toEqual({ file: "data/run.h5", ok: false, error: { kind: "refused", code: "too_large", status: 413, message: refused.message, hint: "split it" } });
  });

  it("never lets a file's name steer the terminal", () => {
    expect(printable("a\u001b[2Jb\u202Ec\n")).toBe("a?[2Jb?c?");
    expect(resultLine({ ...file, argument: "\u001b[31mred" }, done)).not.toContain("\u001b");
  });
});
