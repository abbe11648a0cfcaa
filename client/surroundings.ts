/** What the environment says: proxy and token. */
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { PushFlags } from "./flags.ts";
import { UsageError } from "./usage.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether NO_PROXY names a host: itself, a domain above it, or all with `*`; with a port, only that port. */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, "");
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return list.split(/[,\s]+/).some((entry) => {
    if (entry === "*") return true;
    const [, name = "", only] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(/^[0-9a-f:]+:[0-9a-f:]*$/i.test(entry) ? `[${entry}]` : entry.toLowerCase()) ?? [];
    const domain = name.replace(/^\*?\./, "");
    return domain !== "" && (only === undefined || only === port) && (host === domain || host.endsWith(`.${domain}`));
  });
}

/**
 * The proxy that the environment names for an address, as curl reads it: `https_proxy`, `HTTPS_PROXY`, or for http
 * `http_proxy` in small letters alone, as a web server's CGI sets HTTP_PROXY from a header; then ALL_PROXY.
 * @throws UsageError
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const own = url.protocol === "https:" ? (env["https_proxy"] ?? env["HTTPS_PROXY"]) : env["http_proxy"];
  const text = own ?? env["all_proxy"] ?? env["ALL_PROXY"] ?? "";
  if (text === "" || isExempt(url, env["no_proxy"] ?? env["NO_PROXY"] ?? "")) return undefined;
  const written = text.includes("://") ? text : `http://${text}`;
  if (!URL.canParse(written) || !/^https?:$/.test(new URL(written).protocol)) {
    throw new UsageError(`push: the proxy in the environment is not an http address, got "${redacted(text)}"; set it as http://host:port, or empty it`);
  }
  return new URL(written);
}

const redacted = (address: string): string => address.replace(/\/\/[^@/]*@/, "//[hidden]@");

function checked(token: string, from: string): string {
  if (/^[\x21-\x7E]+$/.test(token)) return token;
  throw new UsageError(`push: ${from}: not a token; it must be one line of printable ASCII without spaces`);
}

/** Where a token goes unencrypted to no other machine. */
const isLoopback = (url: URL): boolean => url.hostname === "localhost" || url.hostname === "[::1]" || /^127\./.test(url.hostname);

/**
 * The token to show to the site: from the file, from the question, or else from SLIPWAY_TOKEN.
 * @param ask asks on the terminal without showing what is typed
 * @throws UsageError
 */
export async function readToken(flags: Pick<PushFlags, "tokenFile" | "askToken" | "url">, env: Environment, folder: string, ask: (question: string) => Promise<string>): Promise<string | undefined> {
  const token = await tokenText(flags, env, folder, ask);
  if (token !== undefined && flags.url.protocol !== "https:" && !isLoopback(flags.url)) {
    throw new UsageError(`push: the token would go to ${flags.url.host} unencrypted; use https://`);
  }
  return token;
}

async function tokenText(flags: Pick<PushFlags, "tokenFile" | "askToken">, env: Environment, folder: string, ask: (question: string) => Promise<string>): Promise<string | undefined> {
  if (flags.tokenFile !== undefined) return checked((await readNamed("--token-file", flags.tokenFile, folder)).toString("utf8").trim(), "--token-file");
  if (flags.askToken) return checked((await ask("Token: ")).trim(), "--ask-token");
  const token = env["SLIPWAY_TOKEN"] ?? "";
  return token === "" ? undefined : checked(token, "SLIPWAY_TOKEN");
}

/** Larger ones are not what was meant. */
const LONGEST_FILE = 64 * 1024 * 1024;

/**
 * A file that an option names.
 * @throws UsageError
 */
export async function readNamed(option: string, path: string, folder: string): Promise<Buffer> {
  try {
    const { size } = await stat(resolve(folder, path));
    if (size > LONGEST_FILE) throw Object.assign(new Error("too large"), { code: "EFBIG" });
    return await readFile(resolve(folder, path));
  } catch (error) {
    throw new UsageError(`push: ${option}: cannot be read, got "${path}" (${(error as NodeJS.ErrnoException).code}); name a file that can`);
  }
}
