/** `Content-Digest`, `Repr-Digest` and `Want-Repr-Digest` (RFC 9530). */
import type { ChecksumName, Checksums } from "./checksum.ts";

/** Algorithms of the registry (RFC 9530 section 5) that uploads are checked with. */
const algorithms: Readonly<Record<string, ChecksumName>> = { "sha-256": "sha256", "sha-512": "sha512" };

export interface DigestMember {
  readonly checksum: ChecksumName;
  /** Lower-case hex. */
  readonly hex: string;
}

/** A member of the dictionary (RFC 8941 section 3.2) whose value is a byte sequence, without parameters. */
const memberPattern = /^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):$/;

const hexDigits: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

function toHex(base64: string): string | undefined {
  try {
    return Array.from(atob(base64), (character) => character.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  } catch {
    return undefined;
  }
}

/** Members with algorithms that are known here; others are ignored. `undefined` when the field is not well-formed. */
export function parseDigestField(value: string): readonly DigestMember[] | undefined {
  if (value.trim() === "") return [];
  const members: DigestMember[] = [];
  for (const text of value.split(",")) {
    const [, name = "", base64 = ""] = memberPattern.exec(text.trim()) ?? [];
    const hex = toHex(base64);
    if (name === "" || hex === undefined) return undefined;
    const checksum = algorithms[name];
    if (checksum === undefined) continue;
    if (hex.length !== hexDigits[checksum]) return undefined;
    members.push({ checksum, hex });
  }
  return members;
}

/** Whether a digest that a client sent differs from what was computed; one that was not computed says nothing. */
export function disagrees(members: readonly DigestMember[], checksums: Checksums): boolean {
  return members.some(({ checksum, hex }) => checksums[checksum] !== undefined && checksums[checksum] !== hex);
}

/**
 * The checksums that `Want-Repr-Digest` asks for (RFC 9530 section 4): those with a preference of 1 to 10. A field
 * that is empty, not well-formed, or names nothing that is there leaves the choice to the server: all of them.
 */
export function wanted(value: string, checksums: Checksums): Checksums {
  const names = value.split(",").flatMap((text) => {
    const [, name = "", weight = "0"] = /^\s*([a-z0-9-]+)\s*=\s*(\d{1,2})\s*$/.exec(text) ?? [];
    const checksum = Number(weight) >= 1 && Number(weight) <= 10 ? algorithms[name] : undefined;
    return checksum !== undefined && checksums[checksum] !== undefined ? [checksum] : [];
  });
  return names.length === 0 ? checksums : Object.fromEntries(names.map((name) => [name, checksums[name]]));
}
