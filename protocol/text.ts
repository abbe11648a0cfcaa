/** Text that people sent, before it is stored and shown to others. */

/**
 * Characters that change what a reader sees of the text around them, or that a database or a terminal takes for
 * commands: controls, line and paragraph separators, the byte order mark, and the bidirectional controls of
 * Unicode UAX #9. Joiners (U+200C, U+200D) stay: emoji and Persian are written with them.
 */
const unsafeCharacters = /[\p{Cc}\u2028\u2029\uFEFF\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

const loneSurrogates = /\p{Cs}/gu;

/** One line of text without characters that cannot be seen. */
export function plainLine(text: string): string {
  return text.replace(loneSurrogates, "\uFFFD").replace(unsafeCharacters, "");
}

/** Text of several lines, likewise; line ends become `\n` (forms send `\r\n`), tabs stay. */
export function plainText(text: string): string {
  return text
    .replace(/\r\n?|\u2028|\u2029/g, "\n")
    .split("\n")
    .map((line) => line.split("\t").map(plainLine).join("\t"))
    .join("\n");
}
