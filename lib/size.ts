/** Sizes in nginx's notation: an integer with an optional k, m or g (powers of 1024). */

export interface Size {
  /** As written, "20g". */
  readonly text: string;
  readonly bytes: number;
}

const FACTORS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** The size, or undefined when the text is not one or is above 2^53 - 1 bytes (8 PiB), where numbers lose digits. */
export function parseSize(text: string): Size | undefined {
  const match = /^(0|[1-9][0-9]{0,15})([kmg]?)$/i.exec(text);
  if (!match) return undefined;
  const bytes = Number(match[1]) * FACTORS[match[2]!.toLowerCase()]!;
  return Number.isSafeInteger(bytes) ? { text, bytes } : undefined;
}

/**
 * The size in the notation of nginx directives that know no `g`: its parser of memory sizes
 * stops at `m`, only the one of file offsets takes `g`.
 */
export function sizeWithoutG(size: Size): string {
  return /g$/i.test(size.text) ? `${Number(size.text.slice(0, -1)) * 1024}m` : size.text;
}
