import { expect, it } from "vitest";
import { readWrittenForm } from "../../protocol/written-body.ts";

const fields = (values: Readonly<Record<string, string>>): { name: string; value: string }[] => Object.entries(values).map(([name, value]) => ({ name, value }));
const good = { session: "s", path: "/p", content_type: "text/plain", size: "10", offset: "4", outcome: "partial", sha256: "ab".repeat(32), md5: "" };

it("reads what nginx writes, with the checksums that the site asks for", () => {
  expect(readWrittenForm(fields(good), ["sha256", "md5"])).toEqual({ session: "s", path: "/p", contentType: "text/plain", size: 10, offset: 4, outcome: "partial", checksums: { sha256: good.sha256 } });
});

it.each([
  [{ ...good, size: "x" }],
  [{ ...good, offset: "" }],
  [{ ...good, outcome: "done" }],
])("refuses %j", (values) => {
  expect(() => readWrittenForm(fields(values), [])).toThrow("not the form of a written body");
});

it("refuses a field that is there twice", () => {
  expect(() => readWrittenForm([...fields(good), { name: "path", value: "/other" }], [])).toThrow("not the form of a written body");
});
