/** When a request is tried again, and after how long. */
import { setTimeout as sleep } from "node:timers/promises";
import { failure } from "./answer.ts";
import { SendError } from "./source.ts";
import { Refused } from "./tus.ts";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;
/** A site that asks for more than this is not waited for any longer than this. */
const LONGEST_RETRY_AFTER_MS = 300_000;

/** Attempts in a row that bring no byte further before the file is given up. */
export const ATTEMPTS = 10;

/** Refusals that pass by themselves; 409 and 423 mean that another request still writes, 507 and most 4xx last. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 423, 425, 429, 500, 502, 503, 504]);

export const mayPass = (status: number): boolean => PASSING.has(status);

/** Errors below HTTP that trying again does not heal: the certificate, the name, and the proxy's refusal. */
export const isLasting = (code: string): boolean => /^PROXY$|CERT|SIGNATURE|ALTNAME|^ENOTFOUND$/.test(code);

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

/** What a caller that gives up gets. */
export const aborted = (): SendError => new SendError(failure("aborted", "aborted", null, "the sending was stopped", "run it again to go on"));

/** Tries until it works, as long as it may: one for each thing that goes on by itself. */
export class Patience {
  readonly #signal: AbortSignal;
  readonly #wait: typeof waitMs;
  #failures = 0;

  /** @param signal ends it, also in the middle of a wait */
  constructor(signal: AbortSignal, wait: typeof waitMs = waitMs) {
    this.#signal = signal;
    this.#wait = wait;
  }

  /** A byte more is safe: what failed before counts no more. */
  progressed(): void {
    this.#failures = 0;
  }

  /** @throws what failed last, when it cannot heal or has failed too often */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        if (this.#signal.aborted) throw aborted();
        return await attempt();
      } catch (error) {
        if (this.#signal.aborted) throw aborted();
        const answer = error instanceof Refused ? error.answer : undefined;
        const lasting = answer === undefined ? error instanceof SendError || isLasting((error as NodeJS.ErrnoException).code ?? "") : !mayPass(answer.status);
        this.#failures += 1;
        if (lasting || this.#failures >= ATTEMPTS) throw error;
        await sleep(this.#wait(this.#failures, answer?.headers["retry-after"]), undefined, { signal: this.#signal }).catch(() => undefined);
      }
    }
  }
}
