/** `Repr-Digest` (RFC 9530): what a client says of a whole file, held against the file. */
import type { Checksums } from "../protocol/checksum.ts";
import { type DigestMember, disagrees, parseDigestField } from "../protocol/digest-field.ts";
import { Refusal, systemCode } from "./refusal.ts";
import { digestFile } from "./sessions/digest-file.ts";

/** The digests that a header says. @throws {Refusal} `bad_header` */
export function readDigests(header: string, value: string): readonly DigestMember[] {
  const members = parseDigestField(value);
  if (members === undefined) throw new Refusal("bad_header", `${header}: not a dictionary of digests (RFC 9530).`);
  return members;
}

/**
 * Whether a file differs from what was said of it. One digest that nginx computed on the way is enough; where nothing
 * but others was said, they are computed from the file, unless it is not there any more: then it was compared when it
 * was filed.
 * @param checksums those that nginx computed
 * @param path of the file, absolute
 * @param signal ends the reading of the file; its reason is thrown then
 */
export async function differs(announced: readonly DigestMember[], checksums: Checksums, path: string, signal?: AbortSignal): Promise<boolean> {
  if (disagrees(announced, checksums)) return true;
  const names = new Set(announced.map(({ checksum }) => checksum));
  if (names.size === 0 || [...names].some((name) => checksums[name] !== undefined)) return false;
  try {
    return disagrees(announced, await digestFile(path, [...names], signal));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}
