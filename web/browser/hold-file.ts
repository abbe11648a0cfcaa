/** One file is sent by one tab at a time (Web Locks API): two would write the same bytes and end each other's requests. */
import type { SendOptions, Sending } from "./send.ts";
import { PROBLEM } from "./words.ts";

/** An upload that has just ended or was paused lets go of its file in a moment; waits between tries, ms. */
const WAIT_MS = 200;
const TRIES = 5;

/**
 * Starts an upload once no other tab of this browser sends the same file; else it fails and says where.
 * @param name The file's fingerprint.
 */
export function holdFile(name: string, begin: (options: SendOptions) => Sending, options: SendOptions): Sending {
  let sending: Sending | null = null;
  let isAborted = false;
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const start = (): void => {
    sending = begin({
      ...options,
      onOutcome: (outcome) => {
        release();
        options.onOutcome(outcome);
      },
    });
  };
  const locks = (navigator as Partial<Navigator>).locks;
  const attempt = async (lock: Lock | null): Promise<boolean> => {
    if (lock === null && !isAborted) return false;
    if (!isAborted) {
      start();
      await held;
    }
    return true;
  };
  const hold = async (manager: LockManager): Promise<void> => {
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (await manager.request(name, { ifAvailable: true }, attempt)) return;
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
    if (!isAborted) options.onOutcome({ kind: "fail", problem: PROBLEM.elsewhere });
  };
  // A browser without locks has them in no tab, so nothing is held.
  if (locks === undefined) start();
  else void hold(locks);
  return {
    abort() {
      isAborted = true;
      sending?.abort();
      release();
    },
  };
}
