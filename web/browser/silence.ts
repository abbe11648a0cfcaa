/**
 * Requests of which nothing is heard any more. A connection may be dead without anybody saying so, and Chromium now and
 * then never tells what became of a request whose connection broke.
 */

/** Longest silence that a request may keep, ms. */
export interface Patience {
  /** While bytes of it are still to be sent. */
  readonly sending: number;
  /** Once all of it is sent. */
  readonly answering: number;
}

/** For what is answered at once, ms. */
export const SHORT_SILENCE_MS = 10_000;

/** Breaks a request off, as if its connection had, once it is silent for too long; to be called before `send`. */
export function endWhenSilent(request: XMLHttpRequest, { sending, answering }: Patience): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      request.abort();
      request.dispatchEvent(new ProgressEvent("error"));
    }, ms);
  };
  request.upload.addEventListener("progress", () => wait(sending));
  request.upload.addEventListener("load", () => wait(answering));
  request.addEventListener("loadend", () => clearTimeout(timer));
  wait(sending);
}
