/**
 * `Idempotency-Key`: a client's own name for a request, by which one that is sent again is known
 * (draft-ietf-httpapi-idempotency-key-header-07). Its value is a string (RFC 9651 section 3.3.3).
 */

const pattern = /^"([\x21\x23-\x5b\x5d-\x7e]{16,128})"$/;

/** What the header must be, for people. */
export const idempotencyKeyForm = 'must be 16 to 128 characters in quotation marks, without blanks, quotation marks and backslashes; for example "8e03978e-40d5-43dd-bc93-6894a57f9324"';

/** @returns the key; null for an empty header; undefined for one that is no such key */
export function parseIdempotencyKey(header: string): string | null | undefined {
  return header === "" ? null : pattern.exec(header)?.[1];
}
