/** The languages of the pages, and which of them a reader gets. */
import * as de from "./de.ts";
import * as en from "./en.ts";
import * as fr from "./fr.ts";

/** Texts of any wording in place of the English ones. */
type Worded<T> = T extends string ? string : T extends (...values: infer A) => infer R ? (...values: A) => Worded<R> : { readonly [K in keyof T]: Worded<T[K]> };

/** Every sentence of the pages. */
export type Strings = Worded<typeof en>;

export type Language = "en" | "de" | "fr";

const all: Readonly<Record<Language, Strings>> = { en, de, fr };

/** Name of each language in itself. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: "English", de: "Deutsch", fr: "Français" };

export const LANGUAGES: readonly Language[] = ["en", "de", "fr"];

/** A language by its tag, `de` as well as `de-AT` (RFC 5646); undefined when the pages do not speak it. */
export function languageOf(tag: string): Language | undefined {
  const primary = tag.trim().toLowerCase().split("-")[0];
  return LANGUAGES.find((language) => language === primary);
}

/** The first choice of an `Accept-Language` header (RFC 9110, 12.5.4) that the pages speak. @default English */
export function preferredLanguage(header: string): Language {
  const choices = header.split(",").map((choice, order) => {
    const [tag = "", ...parameters] = choice.split(";");
    const weight = Number(/^\s*q=([01](?:\.\d{0,3})?)\s*$/i.exec(parameters[0] ?? "q=1")?.[1] ?? "0");
    return { language: languageOf(tag), weight, order };
  });
  const spoken = choices.filter(({ language, weight }) => language !== undefined && weight > 0);
  return spoken.sort((a, b) => b.weight - a.weight || a.order - b.order)[0]?.language ?? "en";
}

export function stringsOf(language: Language): Strings {
  return all[language];
}
