import { parseArgs } from "node:util";

/** What `slipway push` was asked to do. */
export interface PushFlags {
  readonly files: readonly string[];
  readonly url: URL;
  /** PEM file of the CA to trust in place of the system's. @default the system's CAs */
  readonly caFile: string | undefined;
  readonly description: string | undefined;
  /** One JSON line for each file on stdout, nothing else. */
  readonly json: boolean;
  /** Goes on with the files that can be read when some cannot. */
  readonly skipUnreadable: boolean;
}

/** Thrown for a command line that cannot be understood; the message says why. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `Usage: slipway push [options] FILE... URL

Sends each file to an upload site and checks that it arrived whole: the SHA-256
computed while sending must be the one that the site computed while receiving.

  URL                    the site (https://host:port) or its upload path

What to send
  --description TEXT     kept with each file and shown in the list
  --skip-unreadable      go on when some files cannot be read

How
  --cacert FILE          trust this CA (PEM); for a site with a CA of its own

What to print
  --json                 one JSON line for each file, on stdout
  -h, --help             this text

Exit code: 0 when every file arrived, 1 when one did not, 2 for a wrong command line.`;

const OPTIONS = {
  cacert: { type: "string" },
  description: { type: "string" },
  json: { type: "boolean", default: false },
  "skip-unreadable": { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/**
 * Reads the command line after `push`.
 * @returns what to do, or "help"
 * @throws UsageError
 */
export function parseFlags(args: readonly string[]): PushFlags | "help" {
  const { values, positionals } = parseOrExplain(args);
  if (values.help) return "help";
  const url = positionals.at(-1);
  if (url === undefined || positionals.length < 2) {
    throw new UsageError(`push: ${positionals.length === 0 ? "no file and no URL" : "a file or the URL is missing"}, got ${positionals.length} arguments; give FILE... URL`);
  }
  return {
    files: positionals.slice(0, -1),
    url: uploadUrl(url),
    caFile: values.cacert,
    description: values.description,
    json: values.json,
    skipUnreadable: values["skip-unreadable"],
  };
}

function parseOrExplain(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(`push: ${(error as Error).message}`);
  }
}

/** The address to send to: that of a site without a path means its usual upload path. */
export function uploadUrl(text: string): URL {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new UsageError(`push: the last argument is not the address of a site, got "${text}"; write https://host/`);
  }
  const url = new URL(text);
  if (url.pathname === "/") url.pathname = "/upload";
  return url;
}
