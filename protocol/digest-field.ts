/** `Content-Digest`, `Repr-Digest` and `Want-Repr-Digest` (RFC 9530). */
import type { ChecksumName, Checksums } from "./checksum.ts";
import { parseDictionary } from "./structured-field.ts";

/** Algorithms of the registry (RFC 9530 section 5) that uploads are checked with. */
const algorithms: Readonly<Record<string, ChecksumName>> = { "sha-256": "sha256", "sha-512": "sha512" };

const checksumOf = (name: string): ChecksumName | undefined => (Object.hasOwn(algorithms, name) ? algorithms[name] : undefined);

/** The names that the registry has for those of some checksums that uploads are checked with. */
export const digestNames = (checksums: Checksums): readonly string[] =>
  Object.entries(algorithms).flatMap(([name, checksum]) => (checksums[checksum] === undefined ? [] : [name]));

export interface DigestMember {
  readonly checksum: ChecksumName;
  /** Lower-case hex. */
  readonly hex: string;
}

/** Bytes of a digest of each. */
const digestBytes: Readonly<Record<string, number>> = { sha256: 32, sha512: 64 };

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Members with algorithms that are known here; others are ignored. `undefined` when the field is not well-formed. */
export function parseDigestField(value: string): readonly DigestMember[] | undefined {
  const members: DigestMember[] = [];
  const dictionary = parseDictionary(value);
  if (dictionary === undefined) return undefined;
  for (const [name, item] of dictionary) {
    const checksum = checksumOf(name);
    if (checksum === undefined) continue;
    if (item.kind !== "bytes" || item.value.length !== digestBytes[checksum]) return undefined;
    members.push({ checksum, hex: toHex(item.value) });
  }
  return members;
}

/** Whether a digest that a client sent differs from what was computed; one that was not computed says nothing. */
export function disagrees(members: readonly DigestMember[], checksums: Checksums): boolean {
  return members.some(({ checksum, hex }) => checksums[checksum] !== undefined && checksums[checksum] !== hex);
}

/**
 * The checksums that `Want-Repr-Digest` asks for (RFC 9530 section 4): those with a preference of 1 to 10. A field that
 * is empty, not well-formed, or asks for nothing that is there leaves the choice to the server: all but those with 0,
 * which are not acceptable.
 */
export function wanted(value: string, checksums: Checksums): Checksums {
  const preferences = [...(parseDictionary(value) ?? [])].flatMap(([name, item]) => {
    const checksum = checksumOf(name);
    return checksum !== undefined && checksums[checksum] !== undefined && item.kind === "integer" ? [{ checksum, weight: item.value }] : [];
  });
  const asked = preferences.filter(({ weight }) => weight >= 1 && weight <= 10);
  if (asked.length > 0) return Object.fromEntries(asked.map(({ checksum }) => [checksum, checksums[checksum]]));
  const refused = new Set<string>(preferences.filter(({ weight }) => weight === 0).map(({ checksum }) => checksum));
  return Object.fromEntries(Object.entries(checksums).filter(([name]) => !refused.has(name)));
}
