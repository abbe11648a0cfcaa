/** Durations in nginx's notation: `500ms`, `60s`, `1m30s`, `24h`; a bare integer is seconds. */

export interface Duration {
  /** As written, "1m30s". */
  readonly text: string;
  readonly milliseconds: number;
  /** Rounded up to whole seconds. */
  readonly seconds: number;
}

// Months and years are left out: nginx refuses them where a directive counts milliseconds.
const UNITS: readonly (readonly [string, number])[] = [
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
];
const PATTERN = new RegExp(`^(?=[0-9])${UNITS.map(([unit]) => `(?:([0-9]{1,10})${unit}(?![a-z]))?`).join("")}$`);

/** The duration, or undefined when the text is not one. Units go from the largest to the smallest, each once at most. */
export function parseDuration(text: string): Duration | undefined {
  const match = PATTERN.exec(/^[0-9]{1,10}$/.test(text) ? `${text}s` : text);
  if (!match) return undefined;
  let milliseconds = 0;
  UNITS.forEach(([, factor], i) => (milliseconds += Number(match[i + 1] ?? 0) * factor));
  if (!Number.isSafeInteger(milliseconds)) return undefined;
  return { text, milliseconds, seconds: Math.ceil(milliseconds / 1000) };
}
