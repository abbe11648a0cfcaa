/** How every way of sending over tus begins and ends: what the site is told of a file, and what its last answer means. */
import { corrupt, failure, type Sent, type SendResult } from "./answer.ts";
import { SendError, type TransferOptions } from "./source.ts";
import type { Standing } from "./tus.ts";

/** Metadata of an upload that is a whole file. */
export function described(name: string, { description }: TransferOptions): Readonly<Record<string, string>> {
  return { filename: name, ...(description === undefined ? {} : { description }) };
}

/**
 * Holds the digest of what was read against the one that it should have.
 * @param hint what to look at when it is another
 * @throws {SendError} of kind `digest`
 */
export function mustHave(wanted: string | undefined, sha256: string, hint = "check the file against where it came from"): void {
  if (wanted === undefined || wanted === sha256) return;
  throw new SendError(failure("digest", "other_digest", null, `has SHA-256 ${sha256}, not ${wanted} as it should`, hint));
}

/**
 * The result of an upload whose bytes are all at the site.
 * @param hint what to do when the site does not say where the file is
 * @throws {SendError} when it does not
 */
export function resultOf(standing: Standing | undefined, name: string, sent: Sent, hint = "look at the site's list; send the file again if it is not there"): SendResult {
  if (standing?.record === undefined) throw new SendError(failure("server", "unfiled", null, "the site has all bytes and does not say where the file is", hint));
  if (standing.sha256 !== undefined && standing.sha256 !== sent.sha256) return corrupt(null, `SHA-256 ${standing.sha256}`, sent.sha256);
  return { ok: true, id: standing.record, name, resumed: 0, ...sent, checked: standing.sha256 !== undefined };
}
