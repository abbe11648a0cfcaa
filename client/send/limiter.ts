/** One speed for everything that is sent. */
import { setTimeout as sleep } from "node:timers/promises";

/** Parts of a second that a write may fill, so that slow speeds stay even and connections do not look dead. */
const WRITES_PER_SECOND = 20;
const LEAST_WRITE = 1024;

/** Hands out the time to send in, in the order in which it is asked for. */
export class Limiter {
  readonly #perMs: number;
  #free = 0;

  /** @param bytesPerSecond `undefined` is no limit */
  constructor(bytesPerSecond: number | undefined) {
    this.#perMs = (bytesPerSecond ?? Infinity) / 1000;
  }

  /** Most bytes that should be written at a time. */
  get writeSize(): number {
    return Math.max(LEAST_WRITE, Math.floor((this.#perMs * 1000) / WRITES_PER_SECOND));
  }

  /** Waits until so many bytes may be sent. @throws when the signal is aborted */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    if (this.#perMs === Infinity) return;
    const now = performance.now();
    const start = Math.max(now, this.#free);
    this.#free = start + bytes / this.#perMs;
    if (start > now) await sleep(start - now, undefined, signal === undefined ? {} : { signal });
  }
}
