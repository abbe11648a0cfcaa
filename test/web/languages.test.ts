import { describe, expect, it } from "vitest";
import { errorKinds } from "../../protocol/errors.ts";
import { renderHome, renderList } from "../../web/pages.ts";
import { LANGUAGES, languageOf, preferredLanguage, stringsOf, type Language } from "../../web/strings/languages.ts";
import { explain } from "../../web/strings/refusals/refusals.ts";

it.each<[string, Language]>([
  ["", "en"],
  ["de-AT,de;q=0.9,en;q=0.8", "de"],
  ["en;q=0.5, fr;q=0.7", "fr"],
  ["nl, FR-ch;q=0.2", "fr"],
  ["de;q=0, en", "en"],
  ["*", "en"],
  ["de;q=x", "en"],
])("preferredLanguage(%j) is %s", (header, expected) => {
  expect(preferredLanguage(header)).toBe(expected);
});

it("knows a language by its primary tag only", () => {
  expect(["de", "DE-ch", " fr ", "es", "", "../de"].map(languageOf)).toEqual(["de", "de", "fr", undefined, undefined, undefined]);
});

describe.each(LANGUAGES)("refusals in %s", (language) => {
  it.each(Object.entries(errorKinds))("%s says what was wrong and what to do", (code, { message, hint }) => {
    const said = explain(language, { code, message, hint });
    expect(said.detail).toBeUndefined();
    for (const sentence of [said.message, said.hint]) expect(sentence).toMatch(/^[A-ZÀ-Ý].{10,}[.]$/);
    if (language !== "en") expect([said.message, said.hint]).not.toEqual([message, hint]);
  });

  it("keeps a more exact sentence of the server's", () => {
    const said = explain(language, { code: "bad_query", message: "limit: too large.", hint: "" });
    expect(language === "en" ? said.message : said.detail).toBe("limit: too large.");
  });

  it("passes on what another server says", () => {
    expect(explain(language, { code: "no_such_code", message: "Blocked.", hint: "Ask." })).toEqual({ message: "Blocked.", hint: "Ask." });
    expect(explain(language, { code: "toString", message: "Blocked.", hint: "" })).toEqual({ message: "Blocked.", hint: "" });
  });
});

/** Every text of a table, its functions called with words of our own, by its path. */
function texts(value: unknown, path = ""): readonly (readonly [string, string])[] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") return texts((value as (...values: unknown[]) => unknown)("\u00abone\u00bb", "\u00abtwo\u00bb", "\u00abthree\u00bb"), path);
  return Object.entries(value as object).flatMap(([name, inner]) => texts(inner, `${path}.${name}`));
}

describe.each(["de", "fr"] as const)("the texts in %s", (language) => {
  const english = new Map(texts(stringsOf("en")));
  const translated = new Map(texts(stringsOf(language)));

  it("are all there, and say the same values", () => {
    expect([...translated.keys()].sort()).toEqual([...english.keys()].sort());
    const values = (text: string | undefined): readonly string[] => [...new Set(text?.match(/\u00ab(?:one|two|three)\u00bb/g) ?? [])].sort();
    for (const [path, text] of english) expect([path, values(translated.get(path))]).toEqual([path, values(text)]);
  });

  it("are translated: hardly any is the same as in English", () => {
    const same = [...english].filter(([path, text]) => /[a-z]{2}/i.test(text) && translated.get(path) === text).map(([path]) => path);
    expect(same.length, same.join(" ")).toBeLessThan(6);
  });

  it("stand on the pages, which name their language and offer the others", () => {
    const home = renderHome({ language, siteName: "s", uploadPath: "/upload", maxFileSize: 0, checksums: [] });
    const list = renderList({ language, siteName: "s", uploads: [], next: null, query: "", newIds: [] });
    for (const page of [home, list]) {
      expect(page).toContain(`<html lang="${language}">`);
      for (const other of LANGUAGES) expect(page).toContain(`href="?lang=${other}"`);
    }
    expect(home).toContain(stringsOf(language).HOME.lead);
    expect(home).not.toContain(stringsOf("en").HOME.lead);
  });
});
