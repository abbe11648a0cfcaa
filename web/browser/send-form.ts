/**
 * One file as a form. A small one is sent again after its connection broke, for which a network that comes or goes is
 * enough. Its key tells the site that it is the same form: one that was filed already is answered as it was then.
 */
import { problemOfBreakdown, type Breakdown } from "./outcome.ts";
import { send, type Sending, type SendOptions } from "./send.ts";
import { SHORT_SILENCE_MS } from "./silence.ts";

/** Most times that a form goes out before it is for a person to say what to do. */
const TRIES = 5;

/** Wait after the first break, ms; it doubles, and half of it is random so that many files do not come at once. */
const FIRST_WAIT_MS = 500;

/** How much longer a form may be silent for each of its bytes, ms: as on a line of 4 KiB a second. */
const SILENCE_MS_A_BYTE = 1000 / 4096;

/** A key that nobody else has. `crypto.randomUUID` is there over HTTPS only. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Starts the upload of a file. @param isRepeatable Whether it is small enough to go out again by itself. */
export function sendForm(file: File, isRepeatable: boolean, options: SendOptions): Sending {
  let current: Sending | null = null;
  let isAborted = false;
  let failures = 0;
  const silence = isRepeatable ? SHORT_SILENCE_MS + file.size * SILENCE_MS_A_BYTE : null;
  const onBroken = (breakdown: Breakdown): void => {
    failures += 1;
    if (!isRepeatable || !breakdown.isReadable || failures >= TRIES) {
      options.onOutcome({ kind: "fail", problem: problemOfBreakdown(breakdown) });
      return;
    }
    const wait = FIRST_WAIT_MS * 2 ** (failures - 1);
    setTimeout(attempt, wait / 2 + (wait / 2) * Math.random());
  };
  function attempt(): void {
    if (isAborted) return;
    current = send(file, options, silence, onBroken);
  }
  attempt();
  return {
    abort() {
      isAborted = true;
      current?.abort();
    },
  };
}
