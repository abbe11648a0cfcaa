/** The one table of push's options: the parser, --help, the reference and the completion scripts come from it. */

/** Headings of --help, in its order. */
export const groups = {
  what: "What to send",
  how: "How to send",
  who: "Whom to trust, and who you are",
  print: "What to print",
} as const;

/** One option. */
export interface Option {
  readonly group: keyof typeof groups;
  /** One letter that means the same. @default none */
  readonly short?: string;
  /** What the value is called. @default none: the option is a switch */
  readonly value?: string;
  /** Whether it may be given more than once. @default false */
  readonly repeatable?: boolean;
  /** What holds without it, in words. @default nothing needs to be said */
  readonly otherwise?: string;
  /** What it does: one or two short sentences, without an end. */
  readonly help: string;
  /** What a shell offers for the value: names of files, or these words. @default nothing */
  readonly offers?: "files" | readonly string[];
}

export const options = {
  include: { group: "what", value: "GLOB", repeatable: true, otherwise: "every file", help: "only files that match; * and ? stay within a folder, ** does not" },
  exclude: { group: "what", value: "GLOB", repeatable: true, otherwise: "no file", help: "no file or folder that matches; goes before --include" },
  manifest: { group: "what", value: "FILE", offers: "files", help: "a SHA256SUMS file: the site checks the digests on arrival and refuses other bytes; without FILE..., what it lists is sent" },
  name: { group: "what", value: "NAME", help: "name of what is read from standard input, needed for -" },
  description: { group: "what", value: "TEXT", help: "kept with each file and shown in the list" },
  "skip-unreadable": { group: "what", help: "go on when some files cannot be read" },
  again: { group: "what", help: "send also what arrived in an earlier run that did not end" },
  restart: { group: "what", help: "send files anew that changed since they were partly sent, which are refused without it; what the site has of them is removed" },
  streams: { group: "how", value: "N", otherwise: "auto", offers: ["auto", "1", "2", "4", "8"], help: "connections for one large file" },
  parallel: { group: "how", value: "N", otherwise: "auto", offers: ["auto", "1", "2", "4", "8"], help: "files at the same time" },
  "limit-rate": { group: "how", value: "RATE", otherwise: "no limit", help: "bytes a second for all of it together, as in 500k or 10m" },
  "dry-run": { group: "how", help: "list what would be sent, and send nothing" },
  cacert: { group: "who", value: "FILE", otherwise: "the system's CAs", offers: "files", help: "trust this CA (PEM); for a site with a CA of its own" },
  "token-file": { group: "who", value: "FILE", otherwise: "SLIPWAY_TOKEN, or no token", offers: "files", help: "a file with the token to show to the site" },
  "ask-token": { group: "who", help: "ask for the token on the terminal, without showing it" },
  json: { group: "print", help: "one JSON object a line on stdout: each file, then a summary" },
  quiet: { group: "print", short: "q", help: "only what failed" },
  "write-manifest": { group: "print", value: "FILE", offers: "files", help: "write what arrived as a SHA256SUMS file; - is stdout" },
  help: { group: "print", short: "h", help: "this text" },
} as const satisfies Readonly<Record<string, Option>>;

export type OptionName = keyof typeof options;

/** The table as pairs, with what a row may leave out. */
export const optionRows = Object.entries(options) as readonly (readonly [OptionName, Option])[];

/** An option as it is written: `--name VALUE`. */
export const spelled = ([name, { short, value }]: readonly [string, Option]): string =>
  `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;

/** What the command takes from its surroundings. */
export const environment: readonly (readonly [string, string])[] = [
  ["SLIPWAY_TOKEN", "the token to show to the site"],
  ["HTTPS_PROXY, http_proxy, ALL_PROXY", "the proxy to go through; small letters count as well, and first"],
  ["NO_PROXY", "hosts that are reached without one, commas between; a name holds for those below it, * for all"],
  ["XDG_STATE_HOME", "where it is kept what was begun, in slipway/; ~/.local/state without it"],
];
