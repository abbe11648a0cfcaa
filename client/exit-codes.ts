/** The one table of exit codes. */
import type { SendFailure } from "./send/answer.ts";

/** What each code means; --help and the reference are made from it. */
export const exitCodes = {
  0: "every file arrived whole",
  1: "files failed, and not all for the same reason",
  2: "the command line cannot be understood; nothing was sent",
  3: "the site refused: too large, not allowed (4xx)",
  4: "the site could not be reached, or the connection broke for good",
  5: "the digest differs: from the manifest, or from what the site received",
  6: "a local file cannot be read, changed since it was begun, or is being sent by another push",
  7: "the site failed or is full (5xx)",
  130: "stopped by Ctrl-C, SIGTERM, or because nobody reads the output any more",
} as const;

export type ExitCode = keyof typeof exitCodes;

const codeOf: Readonly<Record<SendFailure["kind"], ExitCode>> = {
  refused: 3,
  network: 4,
  digest: 5,
  local: 6,
  changed: 6,
  server: 7,
  aborted: 130,
};

/** The code of a whole run: that of its failures when they are of one kind. */
export function exitCodeOf(failures: readonly SendFailure["kind"][]): ExitCode {
  const codes = new Set(failures.map((kind) => codeOf[kind]));
  if (codes.has(130)) return 130;
  const [first] = codes;
  return first === undefined ? 0 : codes.size === 1 ? first : 1;
}
