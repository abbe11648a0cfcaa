/** What a command tells while it works. Everything goes to stderr: stdout is for results. */
export type LogEntry =
  | { readonly kind: "begin"; readonly name: string; readonly text: string }
  | { readonly kind: "wait"; readonly name: string; readonly text: string }
  | { readonly kind: "found"; readonly name: string; readonly text: string; readonly ms: number }
  | { readonly kind: "made"; readonly name: string; readonly text: string; readonly ms: number }
  | { readonly kind: "warn"; readonly name: string; readonly text: string }
  | { readonly kind: "fail"; readonly name: string; readonly text: string; readonly ms: number }
  | { readonly kind: "output"; readonly name: string; readonly text: string };

export type Log = (entry: LogEntry) => void;

/** Milliseconds as a person reads them: `0.3 s`, `12 s`, `3 min 05 s`. */
export function elapsed(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

const NAME_WIDTH = 14;
const line = (word: string, name: string, text: string, ms?: number): string =>
  `${word.padEnd(5)} ${name.padEnd(NAME_WIDTH)} ${text}${ms === undefined ? "" : ` (${elapsed(ms)})`}`;

/** How each kind of entry is written; a row per kind. */
const FORMATS: { readonly [K in LogEntry["kind"]]: (entry: Extract<LogEntry, { kind: K }>) => string } = {
  begin: ({ name, text }) => line("...", name, text),
  wait: ({ name, text }) => line("wait", name, text),
  found: ({ name, text, ms }) => line("ok", name, text, ms),
  made: ({ name, text, ms }) => line("done", name, text, ms),
  warn: ({ name, text }) => line("warn", name, text),
  fail: ({ name, text, ms }) => line("FAIL", name, text, ms),
  output: ({ text }) => text.split("\n").map((part) => `      | ${part}`).join("\n"),
};

/** One entry as text, without the final newline. */
export function formatEntry(entry: LogEntry): string {
  const format = FORMATS[entry.kind] as (entry: LogEntry) => string;
  return format(entry);
}

/** The log of the commands: stderr. */
export const stderrLog: Log = (entry) => {
  process.stderr.write(`${formatEntry(entry)}\n`);
};
