import { parseArgs, type ParseArgsConfig } from "node:util";
import { parseSize } from "../lib/size.ts";
import { suggest } from "../lib/suggest.ts";
import { optionRows } from "./options.ts";
import { UsageError } from "./usage.ts";

/** What `slipway push` was asked to do. */
export interface PushFlags {
  /** Files and folders as the user wrote them; `["-"]` for standard input. */
  readonly files: readonly string[];
  /** The site, or its upload address. */
  readonly url: URL;
  /** Name of what comes from standard input. */
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** SHA256SUMS file whose digests are announced. */
  readonly manifest: string | undefined;
  /** Goes on with the files that can be read when some cannot. */
  readonly skipUnreadable: boolean;
  /** Sends also what an earlier run, which did not end, has sent. */
  readonly again: boolean;
  /** Sends files anew that changed since they were partly sent. */
  readonly restart: boolean;
  readonly streams: number | "auto";
  readonly parallel: number | "auto";
  /** Bytes a second. @default no limit */
  readonly rate: number | undefined;
  readonly dryRun: boolean;
  /** PEM file of the CA to trust in place of the system's. @default the system's CAs */
  readonly caFile: string | undefined;
  readonly tokenFile: string | undefined;
  readonly askToken: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  /** SHA256SUMS file to write; `-` is stdout. */
  readonly writeManifest: string | undefined;
}

/** More connections than this help nobody, and are many for the site. */
const MOST_AT_ONCE = 64;

const config: NonNullable<ParseArgsConfig["options"]> = Object.fromEntries(
  optionRows.map(([name, { short, value, repeatable }]) => [
    name,
    { type: value === undefined ? "boolean" : "string", multiple: repeatable === true, ...(short === undefined ? {} : { short }) },
  ]),
);

type Values = Readonly<Record<string, unknown>>;
const textOf = (values: Values, name: string): string | undefined => values[name] as string | undefined;
const listOf = (values: Values, name: string): readonly string[] => (values[name] as string[] | undefined) ?? [];
const isOn = (values: Values, name: string): boolean => values[name] === true;

/**
 * Reads the command line after `push`.
 * @returns what to do, or "help"
 * @throws UsageError
 */
export function parseFlags(args: readonly string[]): PushFlags | "help" {
  const { values, positionals } = parseOrExplain(args);
  if (isOn(values, "help")) return "help";
  const flags = {
    files: positionals.slice(0, -1),
    url: urlOf(positionals, values),
    name: textOf(values, "name"),
    description: textOf(values, "description"),
    include: listOf(values, "include"),
    exclude: listOf(values, "exclude"),
    manifest: textOf(values, "manifest"),
    skipUnreadable: isOn(values, "skip-unreadable"),
    again: isOn(values, "again"),
    restart: isOn(values, "restart"),
    streams: countOf(values, "streams"),
    parallel: countOf(values, "parallel"),
    rate: rateOf(values),
    dryRun: isOn(values, "dry-run"),
    caFile: textOf(values, "cacert"),
    tokenFile: textOf(values, "token-file"),
    askToken: isOn(values, "ask-token"),
    json: isOn(values, "json"),
    quiet: isOn(values, "quiet"),
    writeManifest: textOf(values, "write-manifest"),
  };
  checkTogether(flags);
  return flags;
}

function parseOrExplain(args: readonly string[]): { values: Values; positionals: string[] } {
  if (args.some((arg) => /^--token(=|$)/.test(arg))) {
    throw new UsageError("push: --token would show the token to every user of this machine; use --token-file FILE, --ask-token, or the variable SLIPWAY_TOKEN");
  }
  try {
    return parseArgs({ args: [...args], options: config, allowPositionals: true, strict: true });
  } catch (error) {
    const unknown = /^Unknown option '(-[^']*)'/.exec((error as Error).message)?.[1];
    if (unknown === undefined) throw new UsageError(`push: ${(error as Error).message}`);
    const meant = suggest(unknown.replace(/^-+/, ""), optionRows.map(([name]) => name));
    throw new UsageError(`push: no such option, got "${unknown}"${meant === undefined ? "" : `; did you mean --${meant}?`}`);
  }
}

function urlOf(positionals: readonly string[], values: Values): URL {
  const url = positionals.at(-1);
  if (url === undefined || (positionals.length < 2 && values["manifest"] === undefined)) {
    const missing = url === undefined ? "no file and no URL, got nothing" : isAddress(url) ? `no file before the URL ${url}` : `no URL after ${url}`;
    throw new UsageError(`push: ${missing}; give FILE... URL, as in big.dat https://host/`);
  }
  return siteUrl(url);
}

const isAddress = (text: string): boolean => /^https?:\/\//i.test(text) && URL.canParse(text);

/** The address of a site, or of its uploads; which of them it is only the site can say. */
export function siteUrl(text: string): URL {
  if (!isAddress(text)) {
    throw new UsageError(`push: the last argument is not the address of a site, got "${text}"; write https://host/`);
  }
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") throw new UsageError("push: the address holds a password, which every user of this machine can see; use --token-file FILE");
  return url;
}

function countOf(values: Values, name: string): number | "auto" {
  const text = textOf(values, name) ?? "auto";
  if (text === "auto") return "auto";
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= MOST_AT_ONCE) return count;
  throw new UsageError(`push: --${name}: not a number from 1 to ${MOST_AT_ONCE}, got "${text}"; use one, or auto`);
}

function rateOf(values: Values): number | undefined {
  const text = textOf(values, "limit-rate");
  if (text === undefined) return undefined;
  const rate = parseSize(text)?.bytes ?? 0;
  if (rate > 0) return rate;
  throw new UsageError(`push: --limit-rate: not a rate, got "${text}"; use bytes a second, an integer with k, m or g ("10m")`);
}

/** Refuses options that do not fit together. */
function checkTogether(flags: PushFlags): void {
  const { files, name, json, quiet, writeManifest, tokenFile, askToken } = flags;
  const reads = files.includes("-");
  if (reads && files.length > 1) throw new UsageError(`push: - is standard input and goes alone, got ${files.length} files; send the others by a command of their own`);
  if (reads && (name === undefined || name === "")) throw new UsageError("push: what comes from standard input has no name; give --name NAME");
  if (!reads && name !== undefined) throw new UsageError("push: --name is for standard input (-) alone; a file keeps its own name");
  if (reads && flags.dryRun) throw new UsageError("push: --dry-run cannot look into standard input; leave one of them out");
  if (json && quiet) throw new UsageError("push: --json and --quiet exclude each other; choose one");
  if (json && writeManifest === "-") throw new UsageError("push: --json and --write-manifest - both write to stdout; give the manifest a file");
  if (tokenFile !== undefined && askToken) throw new UsageError("push: --token-file and --ask-token exclude each other; choose one");
}
