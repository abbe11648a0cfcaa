import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { contiguousFrom, parseUploadState, readUploadState } from "../../app/store/upload-state.ts";
import { stateFile, type StateVersion } from "../helpers/state-file.ts";

const older: StateVersion = { sequence: 7, total: 100, ranges: [[0, 10]] };
const newer: StateVersion = { sequence: 8, total: 100, flags: 3, ranges: [[0, 100]], claims: [[5, 6]], at: 2048 };
const shown = { received: [{ start: 0, end: 10 }], claimed: [], complete: false, total: 100 };

describe("a state", () => {
  it.each([3, 7])("is the newer of two versions, with flags of %d", (flags) => {
    expect(parseUploadState(stateFile([older, { ...newer, flags }]))).toEqual({ kind: "good", value: { complete: true, total: 100, received: [{ start: 0, end: 100 }], claimed: [{ start: 5, end: 6 }] } });
  });

  it.each([["header", 20], ["body", 2048 + 20]])("is the older one when the newer one's %s was cut off", (_, at) => {
    const file = stateFile([older, newer]);
    file.writeUInt8(file.readUInt8(at) ^ 1, at);
    expect(parseUploadState(file)).toEqual({ kind: "good", value: shown });
  });

  it("is none yet while its first version is being written", () => {
    expect(parseUploadState(Buffer.alloc(0))).toEqual({ kind: "good", value: null });
    const torn = stateFile([{ sequence: 1 }]);
    torn.writeUInt8(1, 600);
    expect(parseUploadState(torn)).toEqual({ kind: "good", value: null });
  });

  it.each<[string, StateVersion]>([
    ["flags that are not known", { ...older, flags: 4 }],
    ["a range behind the total", { ...older, ranges: [[0, 101]] }],
    ["ranges that touch", { ...older, ranges: [[0, 5], [5, 10]] }],
    ["ranges out of order", { ...older, ranges: [[6, 8], [0, 2]] }],
  ])("is refused for %s", (_, version) => {
    expect(parseUploadState(stateFile([version])).kind).toBe("refused");
  });

  it("is broken when neither version is whole", () => {
    const file = stateFile([older, newer]);
    file.fill(1, 1024);
    expect(parseUploadState(file).kind).toBe("torn");
  });
});

describe("reading", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "slipway-state-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("finds the state beside the data, or none", async () => {
    expect(await readUploadState(join(folder, "x"))).toBeNull();
    writeFileSync(join(folder, "x.state"), stateFile([older]));
    expect(await readUploadState(join(folder, "x"))).toEqual(shown);
  });

  it("says which file cannot be read", async () => {
    writeFileSync(join(folder, "x.state"), Buffer.alloc(2000, 1));
    await expect(readUploadState(join(folder, "x"))).rejects.toThrow(`${join(folder, "x.state")}: no version is whole`);
  });
});

it.each([[0, 10], [9, 1], [10, 0], [20, 5], [15, 0]])("from %i on, %i bytes are there without a gap", (base, bytes) => {
  expect(contiguousFrom({ complete: false, total: null, received: [{ start: 0, end: 10 }, { start: 20, end: 25 }], claimed: [] }, base)).toBe(bytes);
});
