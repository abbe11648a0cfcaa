/** The sentences and numbers of the page that the script runs in, in that page's language. */
import { formatBytes, formatCount, formatDuration, formatExactBytes, formatSpeed } from "../format.ts";
import { languageOf, stringsOf } from "../strings/languages.ts";

// Tests of pure functions run without a page.
const tag = typeof document === "undefined" ? "en" : document.documentElement.lang;

export const LANGUAGE = languageOf(tag) ?? "en";

export const { COPY, ERROR, HOME, ITEM, LIST, LIVE, PROBLEM } = stringsOf(LANGUAGE);

/** Formats of `format.ts`, in the page's language. */
export const FORMAT = {
  bytes: (bytes: number) => formatBytes(bytes, LANGUAGE),
  count: (count: number) => formatCount(count, LANGUAGE),
  duration: (seconds: number) => formatDuration(seconds, LANGUAGE),
  exactBytes: (bytes: number) => formatExactBytes(bytes, LANGUAGE),
  speed: (bytesPerSecond: number) => formatSpeed(bytesPerSecond, LANGUAGE),
} as const;
