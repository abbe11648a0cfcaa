/** Speed and time left from progress reports. Pure: the clock is an argument. */

/** How far back the speed looks, in ms: long enough to be steady, short enough to follow a change. */
export const WINDOW_MS = 8000;

/** Bytes sent so far at a time. */
export interface Sample {
  /** Any monotonic clock, ms. */
  readonly atMs: number;
  readonly loaded: number;
}

/** The samples with a new one; of those older than the window the youngest stays, as the window's start. */
export function addSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const kept = [...samples, sample];
  const firstInside = kept.findIndex((one) => one.atMs >= sample.atMs - WINDOW_MS);
  return kept.slice(Math.max(0, firstInside - 1));
}

/** Speed and what follows from it. */
export interface Rate {
  readonly bytesPerSecond: number;
  /** Infinity when nothing moves. */
  readonly secondsLeft: number;
}

/**
 * The rate now, or null while there is too little to go by. Time without a report counts as time without bytes, so
 * a stalled upload slows down instead of keeping its last speed.
 */
export function rateAt(samples: readonly Sample[], nowMs: number, total: number): Rate | null {
  const last = samples.at(-1);
  const inside = samples.filter((sample) => sample.atMs >= nowMs - WINDOW_MS);
  const first = inside.length >= 2 ? inside[0] : samples.at(-2);
  if (last === undefined || first === undefined || first === last) return null;
  if (nowMs - last.atMs > WINDOW_MS) return { bytesPerSecond: 0, secondsLeft: Infinity };
  const seconds = (nowMs - first.atMs) / 1000;
  // The first reports only fill the socket's buffers and would promise too much.
  if (seconds < 0.5) return null;
  const bytesPerSecond = Math.max(0, last.loaded - first.loaded) / seconds;
  return { bytesPerSecond, secondsLeft: bytesPerSecond === 0 ? Infinity : Math.max(0, total - last.loaded) / bytesPerSecond };
}
