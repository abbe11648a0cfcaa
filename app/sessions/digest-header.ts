/** The digest of a finished file in an answer. */
import { type Checksums, reprDigest } from "../../protocol/checksum.ts";
import { wanted } from "../../protocol/digest-field.ts";

/**
 * `Repr-Digest` with what a request's `Want-Repr-Digest` prefers (RFC 9530).
 * @param checksums of the file; none while it is not finished
 */
export function digestHeader(want: string, checksums: Checksums | undefined): Readonly<Record<string, string>> {
  const digest = checksums === undefined ? undefined : reprDigest(wanted(want, checksums));
  return digest === undefined ? {} : { "Repr-Digest": digest };
}
