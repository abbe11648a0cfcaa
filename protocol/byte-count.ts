/** Numbers of bytes in headers. */

/** A number of bytes in decimal digits; `undefined` for anything else, and above 2^53 - 1. */
export function parseByteCount(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
