import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { fingerprint } from "../../../stacks/build/fingerprint.ts";
import type { ContextFile, ContextInputs } from "../../../stacks/build/fingerprint.ts";

const file = (path: string, text: string, mode = 0o644): ContextFile => ({ path, mode, content: Buffer.from(text) });
const inputs = (files: readonly ContextFile[], args: Readonly<Record<string, string>> = {}): ContextInputs => ({ files, args });

const base = inputs([file("a", "1"), file("b/c", "2")], { BASE: "debian" });

it.each<[string, ContextInputs]>([
  ["a byte", inputs([file("a", "1"), file("b/c", "3")], base.args)],
  ["a path", inputs([file("a", "1"), file("b/d", "2")], base.args)],
  ["a mode", inputs([file("a", "1", 0o755), file("b/c", "2")], base.args)],
  ["a file more", inputs([...base.files, file("d", "")], base.args)],
  ["a file less", inputs([file("a", "1")], base.args)],
  ["bytes moved between neighbours", inputs([file("a", "12"), file("b/c", "")], base.args)],
  ["contents exchanged", inputs([file("a", "2"), file("b/c", "1")], base.args)],
  ["an argument's value", inputs(base.files, { BASE: "debian:trixie" })],
  ["an argument's name", inputs(base.files, { FROM: "debian" })],
  ["an argument more", inputs(base.files, { BASE: "debian", X: "" })],
])("changes with %s", (_, changed) => {
  expect(fingerprint(changed)).not.toBe(fingerprint(base));
});

it("does not depend on the order of files and arguments", () => {
  const one = inputs([file("a", "1"), file("b", "2")], { A: "1", B: "2" });
  const other = inputs([file("b", "2"), file("a", "1")], { B: "2", A: "1" });
  expect(fingerprint(other)).toBe(fingerprint(one));
});

it("is the same for bytes and for a file that holds them, wherever it lies", () => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-fingerprint-"));
  try {
    writeFileSync(join(folder, "elsewhere"), "1", { mode: 0o600 });
    const onDisk = inputs([{ path: "a", mode: 0o644, content: join(folder, "elsewhere") }]);
    expect(fingerprint(onDisk)).toBe(fingerprint(inputs([file("a", "1")])));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("refuses two files with one path", () => {
  expect(() => fingerprint(inputs([file("a", "1"), file("a", "2")]))).toThrow('build context: two files have the path "a"');
});

it("tells any two different contexts apart", () => {
  const context = fc
    .tuple(
      fc.uniqueArray(fc.record({ path: fc.stringMatching(/^[ab0-9:]{1,4}$/), mode: fc.constantFrom(0o644, 0o755), text: fc.stringMatching(/^[ab0-9: ]{0,6}$/) }), { maxLength: 3, selector: ({ path }) => path }),
      fc.dictionary(fc.stringMatching(/^[ab]{1,2}$/), fc.stringMatching(/^[ab0-9: ]{0,4}$/), { maxKeys: 2 }),
    )
    .map(([files, args]) => ({ files, args }));
  const canonical = (value: { files: { path: string }[]; args: Record<string, string> }): string =>
    JSON.stringify([[...value.files].sort((a, b) => (a.path < b.path ? -1 : 1)), Object.entries(value.args).sort()]);
  const print = (value: { files: { path: string; mode: number; text: string }[]; args: Record<string, string> }): string =>
    fingerprint(inputs(value.files.map(({ path, mode, text }) => file(path, text, mode)), value.args));
  fc.assert(
    fc.property(context, context, (one, other) => {
      expect(print(one) === print(other)).toBe(canonical(one) === canonical(other));
    }),
    { numRuns: 500 },
  );
});
