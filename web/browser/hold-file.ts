/** One file is sent by one tab at a time (Web Locks API): two would write the same bytes and end each other's requests. */
import type { SendOptions, Sending } from "./send.ts";
import { PROBLEM } from "./words.ts";

/** How long an upload that has just ended or was paused has to let go of its file, ms. */
const WAIT_MS = 1000;

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
  // A browser without locks has them in no tab, so nothing is held.
  if (locks === undefined) start();
  else {
    void locks
      .request(name, { signal: AbortSignal.timeout(WAIT_MS) }, async () => {
        if (isAborted) return;
        start();
        await held;
      })
      .catch(() => {
        if (!isAborted) options.onOutcome({ kind: "fail", problem: PROBLEM.elsewhere });
      });
  }
  return {
    abort() {
      isAborted = true;
      sending?.abort();
      release();
    },
  };
}
