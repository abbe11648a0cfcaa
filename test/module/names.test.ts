import { describe, expect, it } from "vitest";
import { withNginx } from "../helpers/nginx.ts";
import { fieldsOf, uploadSite } from "../helpers/upload-site.ts";
import { exchange, form, post } from "../helpers/wire.ts";

/** UTF-8 bytes, written in the Latin-1 of the wire helpers. */
const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** Parameters of Content-Disposition, then the field's name and the file's as they are passed on. */
type Row = readonly [disposition: string, field: string, name: string];

const rows: readonly Row[] = [
  ['name="f"; filename="plain.txt"', "f", "plain.txt"],
  ['filename="first.txt"; name="f"', "f", "first.txt"],
  ["name=f; filename=token.txt", "f", "token.txt"],
  ["name=f; filename=two words.txt", "f", "two words.txt"],
  ['name="f" ; filename = "x"', "", ""],
  ['NAME="f"; FileName="case.txt"', "f", "case.txt"],
  ['name="f"; filename="a;b.txt"', "f", "a;b.txt"],
  ['name="f"; filename="a\\"b.txt"', "f", 'a"b.txt'],
  ['name="f"; filename="a\\"; name=\\"g.txt"', "f", 'a"; name="g.txt'],
  ['name="f"; filename="a%22b.txt"', "f", "a%22b.txt"],
  ['name="f"; filename="C:\\Users\\me\\photo.jpg"', "f", "photo.jpg"],
  ['name="f"; filename="/home/me/photo.jpg"', "f", "photo.jpg"],
  ['name="f"; filename="\\\\server\\share\\x.doc"', "f", "x.doc"],
  ['name="f"; filename="../../etc/passwd"', "f", "passwd"],
  ['name="f"; filename="..\\..\\boot.ini"', "f", "boot.ini"],
  ['name="f"; filename=".."', "f", "%2E%2E"],
  ['name="f"; filename="a/.."', "f", "%2E%2E"],
  ['name="f"; filename="."', "f", "%2E"],
  ['name="f"; filename="..."', "f", "..."],
  ['name="f"; filename="folder/"', "f", ""],
  ['name="f"; filename="a\0b.txt"', "f", "a%00b.txt"],
  ['name="f"; filename="a\x01\x1b\x7fb\t.txt"', "f", "a%01%1B%7Fb%09.txt"],
  [`name="f"; filename="${utf8("naïve 😀 שלום.txt")}"`, "f", utf8("naïve 😀 שלום.txt")],
  [`name="f"; filename="${"n".repeat(300)}"`, "f", "n".repeat(300)],
  ["name=\"f\"; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.txt", "f", utf8("naïve €.txt")],
  ["name=\"f\"; filename*=utf-8'en'a.txt", "f", "a.txt"],
  ["name=\"f\"; filename*=ISO-8859-1''na%EFve.txt", "f", utf8("naïve.txt")],
  ["name=\"f\"; filename=\"plain.txt\"; filename*=UTF-8''better.txt", "f", "better.txt"],
  ["name=\"f\"; filename*=UTF-8''better.txt; filename=\"plain.txt\"", "f", "better.txt"],
  ["name=\"f\"; filename=\"plain.txt\"; filename*=UTF-8''%C3%28", "f", "plain.txt"],
  ["name=\"f\"; filename=\"plain.txt\"; filename*=koi8-r''x", "f", "plain.txt"],
  ["name=\"f\"; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "f", "passwd"],
  ["name=\"f\"; filename*=UTF-8''a%0D%0Ab%00.txt", "f", "a%0D%0Ab%00.txt"],
  ['name="a\\"b"; filename="x"', "a%22b", "x"],
  ['name="a\\\\"; filename="x"', "a%5C", "x"],
  ['name="a\x07b"; filename="x"', "a%07b", "x"],
  ['name=""; filename="x"', "", "x"],
  ['name="f"; filename="x";', "f", "x"],
];

describe("module: names of files and fields", () => {
  it.each(rows)("%j", async (disposition, field, name) => {
    await withNginx(uploadSite(), async (site) => {
      const { status } = await exchange(site.port, post("/upload", form([{ disposition, body: "x" }])));
      if (disposition.includes("filename = ")) {
        expect(status).toBe(400);
        return;
      }
      expect(status).toBe(200);
      expect(fieldsOf(site.passed[0]).slice(0, 2)).toEqual([
        [`${field}.name`, name],
        [`${field}.content_type`, "application/octet-stream"],
      ]);
    });
  });

  it.each([
    "name=\"f\"; filename*=UTF-8''%C3%28",
    "name=\"f\"; filename*=UTF-8''%ED%A0%80",
    "name=\"f\"; filename*=UTF-8''%2",
    "name=\"f\"; filename*=UTF-8''%zz",
    "name=\"f\"; filename*=UTF-8",
    "name=\"f\"; filename*=x''a",
  ])("refuses %j, the only file name", async (disposition) => {
    await withNginx(uploadSite("", { keepsFiles: false }), async (site) => {
      expect((await exchange(site.port, post("/upload", form([{ disposition, body: "x" }])))).status).toBe(400);
    });
  });

  it("takes an empty file name for a file input without a file: an ordinary field", async () => {
    await withNginx(uploadSite('upload_pass_form_field "^f$";', { keepsFiles: false }), async (site) => {
      const disposition = 'name="f"; filename=""';
      expect((await exchange(site.port, post("/upload", form([{ disposition, type: "application/octet-stream", body: "" }])))).status).toBe(200);
      expect(fieldsOf(site.passed[0])).toEqual([["f", ""]]);
    });
  });

  it("escapes control characters of a part's Content-Type", async () => {
    await withNginx(uploadSite(), async (site) => {
      const part = { disposition: 'name="f"; filename="x"', type: "text/\x01plain", body: "x" };
      expect((await exchange(site.port, post("/upload", form([part])))).status).toBe(200);
      expect(fieldsOf(site.passed[0])[1]).toEqual(["f.content_type", "text/%01plain"]);
    });
  });

  it("escapes the name of an ordinary field, so that it stays one field", async () => {
    await withNginx(uploadSite('upload_pass_form_field "";', { keepsFiles: false }), async (site) => {
      const disposition = 'name="a\\"; filename=\\"x"';
      expect((await exchange(site.port, post("/upload", form([{ disposition, body: "v" }])))).status).toBe(200);
      expect(fieldsOf(site.passed[0])).toEqual([["a%22; filename=%22x", "v"]]);
    });
  });
});
