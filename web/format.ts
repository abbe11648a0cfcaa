/** Numbers and names as people read them. Pure, and the same on the server and in the browser. */

import type { Language } from "./strings/languages.ts";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;

/** Characters that turn the direction of the text around them (UAX #9): a name could look like another one. */
const DIRECTION_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Keeps a number and its unit on one line. */
const NO_BREAK = "\u00a0";

const formats = new Map<string, Intl.NumberFormat>();

/** Making a format takes longer than a hundred uses of it. */
function format(language: Language, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify([language, options]);
  const known = formats.get(key) ?? new Intl.NumberFormat(language, options);
  formats.set(key, known);
  return known;
}

/** A number with its unit, as `Intl` has them, never on two lines. */
function withUnit(value: number, language: Language, options: Intl.NumberFormatOptions): string {
  const parts = format(language, { style: "unit", ...options }).formatToParts(value).filter(({ type }) => type !== "literal");
  const unit = parts.filter(({ type }) => type === "unit").map((part) => part.value).join("");
  const number = parts.filter(({ type }) => type !== "unit").map((part) => part.value).join("");
  return `${number}${NO_BREAK}${unit}`;
}

/** A count with the language's marks between the thousands: `10,000`. */
export function formatCount(count: number, language: Language = "en"): string {
  return format(language, { useGrouping: "min2" }).format(count);
}

/**
 * A size in decimal units with up to three significant digits: `999 B`, `1.23 MB`, `45.6 GB`, `50 GB`; in French
 * `1,23 Mo`. The space is a no-break space.
 * @param bytes Anything not finite or below zero counts as 0.
 */
export function formatBytes(bytes: number, language: Language = "en"): string {
  let value = Number.isFinite(bytes) && bytes > 0 ? bytes : 0;
  if (value < 1000) return withUnit(Math.floor(value), language, { unit: "byte", unitDisplay: "narrow" });
  let unit = 0;
  // 999.5 would be printed as "1000"; the next unit says it better.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = Number.isInteger(value) ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return withUnit(value, language, { unit: UNITS[unit], unitDisplay: "short", useGrouping: false, minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A size to the byte: `4,294,967,296 bytes`. */
export function formatExactBytes(bytes: number, language: Language = "en"): string {
  return withUnit(Math.max(0, Math.floor(bytes)), language, { unit: "byte", unitDisplay: "long" });
}

/** @param bytesPerSecond As in `formatBytes`. */
export function formatSpeed(bytesPerSecond: number, language: Language = "en"): string {
  return `${formatBytes(bytesPerSecond, language)}/s`;
}

/**
 * A time that is left, no finer than anybody needs: `8 s`, `3 min 20 s`, `2 h 5 min`, `3 days`.
 * @param seconds Anything not finite gives an empty text.
 */
export function formatDuration(seconds: number, language: Language = "en"): string {
  if (!Number.isFinite(seconds)) return "";
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 600) {
    const rest = whole % 60;
    return rest === 0 ? `${Math.floor(whole / 60)} min` : `${Math.floor(whole / 60)} min ${rest} s`;
  }
  const minutes = Math.ceil(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return withUnit(Math.round(hours / 24), language, { unit: "day", unitDisplay: "long" });
}

/** Whole percent, rounded down so that 100 is only said at the end. An empty file is done at once. */
export function percentOf(done: number, total: number): number {
  if (total <= 0) return 100;
  return Math.min(100, Math.max(0, Math.floor((done / total) * 100)));
}

/** A UTC time to the minute: `2026-11-22 20:47 UTC`; the text itself when it is not a time. */
export function formatUtc(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A file name for the eye: characters that would turn its direction around are made visible. */
export function displayName(name: string): string {
  return name.replace(DIRECTION_CONTROLS, "\ufffd");
}

const ALGORITHM_NAMES: Readonly<Record<string, string>> = {
  md5: "MD5",
  sha1: "SHA-1",
  sha256: "SHA-256",
  sha512: "SHA-512",
  crc32: "CRC-32",
};

/** `sha256` -> `SHA-256`. */
export function algorithmName(algorithm: string): string {
  return ALGORITHM_NAMES[algorithm] ?? algorithm;
}

/** Which digest to show when there is room for one: the strongest of common use first. */
const PREFERENCE = ["sha256", "sha512", "sha1", "md5", "crc32"] as const;

/** The checksum to show, or null when there is none. */
export function preferredChecksum(
  checksums: Readonly<Record<string, string>>,
): { readonly algorithm: string; readonly digest: string } | null {
  const algorithm = PREFERENCE.find((name) => checksums[name] !== undefined) ?? Object.keys(checksums).sort()[0];
  const digest = algorithm === undefined ? undefined : checksums[algorithm];
  return algorithm === undefined || digest === undefined ? null : { algorithm, digest };
}
