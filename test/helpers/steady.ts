/** Numbers that the product promises, on a machine that stands still now and then: its stalls spoil one try, a regression all. */

/**
 * Measures until the result is good, three times at most.
 * @returns the first good one, or the last
 */
export async function bestOf<T>(isGood: (result: T) => boolean, measure: () => Promise<T>, tries = 3): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    const result = await measure();
    if (tried === tries || isGood(result)) return result;
  }
}

/** Measures until it is below a bound, three times at most. @returns the least that was measured */
export async function leastOf(bound: number, measure: () => Promise<number>): Promise<number> {
  let least = Infinity;
  return bestOf((now) => now < bound, async () => (least = Math.min(least, await measure())));
}

/** Milliseconds that something takes. */
export async function timeOf(something: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await something();
  return performance.now() - began;
}

/** Of the times of several rounds the longest but one. */
export function longestButOne(times: readonly number[]): number {
  return times.toSorted((one, other) => other - one)[1] ?? Infinity;
}
