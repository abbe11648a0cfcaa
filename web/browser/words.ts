/** The sentences of the page that the script runs in, in that page's language. */
import { languageOf, stringsOf } from "../strings/languages.ts";

// Tests of pure functions run without a page.
const tag = typeof document === "undefined" ? "en" : document.documentElement.lang;

export const { COPY, HOME, ITEM, LIVE, PROBLEM } = stringsOf(languageOf(tag) ?? "en");
