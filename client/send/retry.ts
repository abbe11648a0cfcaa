/** When a request is tried again, and after how long. */

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;
/** A site that asks for more than this is not waited for any longer than this. */
const LONGEST_RETRY_AFTER_MS = 300_000;

/** Attempts in a row that bring no byte further before the file is given up. */
export const ATTEMPTS = 10;

/** Refusals that pass by themselves; 409 and 423 mean that another request still writes, 507 and most 4xx last. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 423, 425, 429, 500, 502, 503, 504]);

export const mayPass = (status: number): boolean => PASSING.has(status);

/** Errors below HTTP that trying again does not heal: the certificate, and a file that changed. */
export const isLasting = (code: string): boolean => code === "CHANGED" || /CERT|SIGNATURE|ALTNAME|^ENOTFOUND$|^ENOENT$|^EACCES$/.test(code);

/**
 * Milliseconds to wait before the next attempt: doubling, half of it random so that many clients do not come at once.
 * @param failures in a row, from 1
 * @param retryAfter header of the answer (RFC 9110 section 10.2.3), which is the least
 * @param random from 0 to 1
 */
export function waitMs(failures: number, retryAfter: string | undefined, random: number = Math.random(), now: number = Date.now()): number {
  const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
  const own = most / 2 + (most / 2) * random;
  if (retryAfter === undefined) return own;
  const asked = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Number.isNaN(asked) ? own : Math.max(own, Math.min(asked, LONGEST_RETRY_AFTER_MS));
}
