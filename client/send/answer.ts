import type { Answer } from "./http.ts";

/**
 * What kind of failure it was. `refused`: the site does not want it, and would not the next time (4xx). `changed`: the
 * local file is not what it was when it was begun. `digest`: the site has, or would have, other bytes than were meant.
 * `network`: no connection, or too many that broke. `server`: the site is broken or full (5xx) and stayed so. `local`:
 * the file cannot be read, or another push sends it. `aborted`: the caller gave up.
 */
export type FailureKind = "refused" | "changed" | "digest" | "network" | "server" | "local" | "aborted";

/** A file that is at the site. */
export interface Arrival {
  readonly ok: true;
  readonly id: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Bytes of them that the site had from an earlier run. */
  readonly resumed: number;
  /** Hex. */
  readonly sha256: string;
  /** Whether the site said its own SHA-256, which is the same. */
  readonly checked: boolean;
  readonly ms: number;
}

/** How sending a file ended. */
export type SendResult =
  | Arrival
  | {
      readonly ok: false;
      readonly kind: FailureKind;
      readonly code: string;
      readonly status: number | null;
      readonly message: string;
      readonly hint: string;
      /** Bytes that the site keeps of the file as it was before it changed. @default it was not begun before */
      readonly kept?: number;
    };

export type SendFailure = Extract<SendResult, { ok: false }>;

/** What was sent, to hold the answer against. */
export interface Sent {
  readonly size: number;
  /** Bytes of it that the site had from an earlier run. @default 0 */
  readonly resumed?: number;
  /** Hex. */
  readonly sha256: string;
  readonly ms: number;
}

/** Judges the site's answer to a whole file: only one that names the same bytes is a success. */
export function judge({ status, body, headers }: Answer, sent: Sent): SendResult {
  const answer = parseObject(body);
  return status === 200 ? judgeRecord(answer, sent) : refusal(status, answer, headers.location);
}

/** Judges what the site says in its answer of one file. */
export function judgeRecord(record: unknown, sent: Sent): SendResult {
  const { id, name, size, checksums } = isObject(record) ? record : {};
  if (typeof id !== "string" || typeof name !== "string" || typeof size !== "number") {
    return failure("server", "bad_answer", 200, "the site answered 200, but not with the record of an upload", "check that the URL is the upload path of a Slipway site");
  }
  const theirs = isObject(checksums) && typeof checksums["sha256"] === "string" ? checksums["sha256"] : undefined;
  if (size !== sent.size || (theirs !== undefined && theirs !== sent.sha256)) {
    return corrupt(200, `${size} bytes with SHA-256 ${theirs ?? "unknown"}`, `${sent.size} with ${sent.sha256}`);
  }
  return { ok: true, id, name, size, resumed: sent.resumed ?? 0, sha256: sent.sha256, checked: theirs !== undefined, ms: sent.ms };
}

/** The site says that it has other bytes than were sent. */
export function corrupt(status: number | null, theirs: string, ours: string): SendFailure {
  return failure("digest", "corrupt", status, `the site has other bytes than were sent: ${theirs}, sent ${ours}`, "send the file again; if it happens twice, tell the site's administrator");
}

/** Where a site is that answers with a redirect, as it does at http://; undefined when it does not say. */
function originOf(location: string | undefined): string | undefined {
  return location !== undefined && URL.canParse(location) ? new URL(location).origin : undefined;
}

/**
 * The site's refusal, in its own words where it has some (docs/internals/contracts.md, section 4).
 * @param location where a redirect leads, as its header says it
 */
export function refusal(status: number, answer: Readonly<Record<string, unknown>>, location?: string): SendFailure {
  if (status >= 300 && status < 400) {
    // Not followed: a file, and a token, go only where they were meant to.
    return failure("refused", "redirect", status, `the site is at another address: it answered ${status}`, `give ${originOf(location) ?? "its own address, https:// as a rule"} as the URL`);
  }
  const error = isObject(answer["error"]) ? answer["error"] : {};
  const text = (key: string): string | undefined => (typeof error[key] === "string" ? error[key] : undefined);
  const code = text("code") ?? "refused";
  const kind = code === "digest_mismatch" ? "digest" : status >= 500 ? "server" : "refused";
  return failure(kind, code, status, text("message") ?? `the site answered ${status}`, text("hint") ?? "ask the site's administrator");
}

const unreachable = (message: string, hint: string): SendFailure => failure("network", "unreachable", null, message, hint);

const CERTIFICATE_CODES = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "UNABLE_TO_GET_ISSUER_CERT",
]);

/** A failure below HTTP, by its error code. */
export function networkFailure(error: NodeJS.ErrnoException, host: string): SendFailure {
  const code = error.code ?? "";
  if (CERTIFICATE_CODES.has(code)) {
    return failure("network", "untrusted", null, `the certificate of ${host} is signed by a CA that is not trusted here`, "pass the site's CA with --cacert FILE");
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return failure("network", "wrong_name", null, `the certificate is not for ${host}`, "use a name that the certificate has");
  if (code.startsWith("CERT_")) return failure("network", "bad_certificate", null, `the certificate of ${host} is not valid: ${error.message}`, "check the clock here; else tell the site's administrator");
  if (code === "ECONNREFUSED") return unreachable(`nothing listens at ${host}`, "check the address and port, and that the site runs");
  if (code === "ENOTFOUND") return unreachable(`${host} has no address`, "check the host name");
  if (code === "EAI_AGAIN") return unreachable(`the address of ${host} cannot be looked up now`, "check the network here, and the host name");
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return unreachable(`there is no way to ${host} from here`, "check the network here, and the address");
  if (code === "ETIMEDOUT") return unreachable(`${host} does not answer`, "check the address, and whether a firewall is on the way");
  if (/wrong version number/.test(error.message)) return unreachable(`what listens at ${host} does not speak HTTPS`, "check the port");
  if (code === "PROXY") return failure("network", "proxy", null, error.message, "check HTTPS_PROXY, or name the site in NO_PROXY");
  if (code === "ECONNRESET" || code === "EPIPE") return failure("network", "cut", null, `${host} closed the connection before it answered`, "send the file again");
  return failure("network", "network", null, `sending to ${host} failed: ${error.message}`, "send the file again");
}

export const failure = (kind: FailureKind, code: string, status: number | null, message: string, hint: string): SendFailure => ({ ok: false, kind, code, status, message, hint });

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);

/** A JSON object, or an empty one for anything else. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
