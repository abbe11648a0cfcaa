/** By what a request that comes again is known. */
import { idempotencyKeyForm, parseIdempotencyKey } from "../protocol/idempotency-key.ts";
import { Refusal } from "./refusal.ts";

/**
 * The client's own key where it sends one, else nginx's id of the request.
 * @param header `Idempotency-Key`
 * @throws {Refusal} for a malformed key
 */
export function submissionOf(header: string, requestId: string): string {
  const key = parseIdempotencyKey(header);
  if (key === undefined) throw new Refusal("bad_header", `Idempotency-Key: ${idempotencyKeyForm}.`);
  return key === null ? requestId : `key:${key}`;
}
