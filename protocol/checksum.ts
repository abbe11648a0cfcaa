/** Checksums as nginx hands them on (lower-case hex), and as HTTP writes them (RFC 9530). */

/** Hex digits of each checksum that the upload module computes. */
export const checksumDigits = { md5: 32, sha1: 40, sha256: 64, sha512: 128, crc32: 8 } as const;

export type ChecksumName = keyof typeof checksumDigits;

export const checksumNames = Object.keys(checksumDigits) as readonly ChecksumName[];

/** Checksums of one file: name -> lower-case hex. */
export type Checksums = Readonly<Partial<Record<ChecksumName, string>>>;

export function isChecksumName(text: string): text is ChecksumName {
  return Object.hasOwn(checksumDigits, text);
}

/** Whether a value is well-formed: lower-case hex of the checksum's length. */
export function isChecksum(name: ChecksumName, value: string): boolean {
  return value.length === checksumDigits[name] && /^[0-9a-f]+$/.test(value);
}

/** Base64 of bytes written as hex. */
function hexToBase64(hex: string): string {
  const bytes = hex.match(/../g) ?? [];
  return btoa(String.fromCharCode(...bytes.map((byte) => Number.parseInt(byte, 16))));
}

/**
 * Value of a `Repr-Digest` header (RFC 9530 section 3) with the algorithms that its registry has as active:
 * sha-256 and sha-512. `undefined` when the file has neither.
 */
export function reprDigest(checksums: Checksums): string | undefined {
  const members: string[] = [];
  if (checksums.sha256 !== undefined) members.push(`sha-256=:${hexToBase64(checksums.sha256)}:`);
  if (checksums.sha512 !== undefined) members.push(`sha-512=:${hexToBase64(checksums.sha512)}:`);
  return members.length === 0 ? undefined : members.join(", ");
}
