import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attachment, maxNameBytes, safeFileName, safeFolder } from "../../protocol/file-name.ts";

const rows: readonly (readonly [what: string, sent: string, stored: string])[] = [
  ["an ordinary name", "report 2026.pdf", "report 2026.pdf"],
  ["a path upwards", "../../etc/passwd", "passwd"],
  ["a DOS path", "C:\\Users\\me\\data.csv", "data.csv"],
  ["a trailing slash", "folder/", "folder"],
  ["a name of dots", "..", "unnamed"],
  ["a name of slashes", "///", "unnamed"],
  ["no name", "", "unnamed"],
  ["spaces only", "   ", "unnamed"],
  ["a hidden file", ".bashrc", "bashrc"],
  ["many leading dots", "....hidden.txt", "hidden.txt"],
  ["dots after spaces", " . .x", "x"],
  ["NUL", "a\0.txt", "a.txt"],
  ["line breaks and escapes", "a\r\nb\x1b[31m\x7f.txt", "ab[31m.txt"],
  ["C1 controls", "a\u0085\u009bb", "ab"],
  ["line separators", "a\u2028b\u2029c", "abc"],
  ["an extension hidden by an override", "invoice\u202Efdp.exe", "invoicefdp.exe"],
  ["bidirectional isolates and marks", "\u2067a\u2069\u200E\u200F\u061Cb\u202A\u202C", "ab"],
  ["a byte order mark", "\uFEFFa", "a"],
  ["Arabic and Hebrew", "ملف שלום.txt", "ملف שלום.txt"],
  ["an emoji of several code points", "👩‍👩‍👧 👍🏽.png", "👩‍👩‍👧 👍🏽.png"],
  ["quotes, semicolons, percent signs", `a"b'c;d%2e$(x)\`y\`.txt`, `a"b'c;d%2e$(x)\`y\`.txt`],
  ["an accent in two code points, kept as it came", "re\u0301sume\u0301.txt", "re\u0301sume\u0301.txt"],
  ["a lone surrogate", "a\uD800b", "a\uFFFDb"],
];

it.each(rows)("stores %s", (_what, sent, stored) => {
  expect(safeFileName(sent)).toBe(stored);
});

it.each([
  ["a.txt", null], ["run/raw/1.h5", "run/raw"], ["/etc/passwd", "etc"], ["../../etc/passwd", "etc"], ["a/./b/../c.txt", "a/b"], ["../x", null],
  ["a/ .. /b/c", "a/b"], ["a/.\u202E./b/c", "a/b"], ["a/\n/b/c", "a/b"], ["C:\\Users\\me\\a.txt", null], ["a\\..\\b/c.txt", null], [".git/config", ".git"],
  ["a//b///c", "a/b"], [`${"x".repeat(256)}/c`, null], [`${"a/".repeat(600)}c`, null], ["Größe/写真/c", "Größe/写真"], ["", null],
])("takes from %j the folder %j", (sent, folder) => expect(safeFolder(sent)).toBe(folder));

describe("long names", () => {
  it("keeps the extension of 300 bytes", () => {
    const stored = safeFileName(`${"x".repeat(300)}.pdf`);
    expect(stored).toBe(`${"x".repeat(251)}.pdf`);
  });

  it("keeps a double extension", () => {
    expect(safeFileName(`${"x".repeat(300)}.tar.gz`)).toBe(`${"x".repeat(248)}.tar.gz`);
  });

  it("cuts no code point", () => {
    const stored = safeFileName(`${"🚀".repeat(100)}.png`);
    expect(stored).toBe(`${"🚀".repeat(62)}.png`);
    expect(Buffer.byteLength(stored)).toBe(252);
  });

  it("takes no long tail for an extension", () => {
    expect(safeFileName(`a.${"y".repeat(300)}`)).toBe(`a.${"y".repeat(253)}`);
  });
});

it("makes any text a safe name, and leaves a safe name alone", () => {
  const unit = fc.oneof(
    fc.string({ unit: "binary", maxLength: 400 }),
    fc.string({ unit: fc.constantFrom("/", "\\", ".", "\0", " ", "\u202E", "🚀", "é", "x", "\uD800"), maxLength: 400 }),
  );
  fc.assert(
    fc.property(unit, (text) => {
      const name = safeFileName(text);
      expect(name).not.toBe("");
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(maxNameBytes);
      expect(name).not.toMatch(/^[.\s]|[/\\\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069]|\s$/u);
      expect(safeFileName(name)).toBe(name);
    }),
    { numRuns: 300 },
  );
});

describe("Content-Disposition", () => {
  it.each([
    ["plain.txt", 'attachment; filename="plain.txt"'],
    ["a b.txt", 'attachment; filename="a b.txt"'],
    ["é€.txt", "attachment; filename=\"__.txt\"; filename*=UTF-8''%C3%A9%E2%82%AC.txt"],
    ['q".txt', "attachment; filename=\"q_.txt\"; filename*=UTF-8''q%22.txt"],
    ["it's (1)*.txt", 'attachment; filename="it\'s (1)*.txt"'],
    ["é's (1)*.txt", "attachment; filename=\"_'s (1)*.txt\"; filename*=UTF-8''%C3%A9%27s%20%281%29%2A.txt"],
    ["100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"],
  ])("saves as %s", (name, header) => {
    expect(attachment(name)).toBe(header);
  });

  it("is a header whatever the name, and gives the name back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        const name = safeFileName(text);
        const header = attachment(name);
        expect(header).toMatch(/^[\x20-\x7E]+$/);
        const extended = /filename\*=UTF-8''(.*)$/.exec(header)?.[1];
        expect(extended === undefined ? /^attachment; filename="([^"\\]*)"$/.exec(header)?.[1] : decodeURIComponent(extended)).toBe(name);
      }),
    );
  });
});
