/** The middle of some numbers, of an even count the mean of the two in the middle. @throws when there is none */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new Error("median: of no numbers");
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Above this the interval of a median is too wide for its chance. */
const OUTSIDE = 0.0625;

/**
 * An interval that has the true median of what some numbers are a sample of, with a chance of 94 % or more, whatever
 * their distribution (sign test; David and Nagaraja, Order Statistics, 7.1).
 * @returns undefined when there are fewer than five numbers: even the widest has less of a chance
 */
export function medianInterval(numbers: readonly number[]): readonly [number, number] | undefined {
  const n = numbers.length;
  const sorted = [...numbers].sort((a, b) => a - b);
  // The chance that the median lies below the k-th smallest is that of fewer than k heads in n throws of a coin.
  let [k, chance, below] = [0, 0.5 ** n, 0.5 ** n];
  while (2 * below <= OUTSIDE) {
    k++;
    chance *= (n - k + 1) / k;
    below += chance;
  }
  return k === 0 ? undefined : [sorted[k - 1]!, sorted[n - k]!];
}

/**
 * The smallest of the numbers that `share` of them do not exceed (nearest rank).
 * @param share above 0, up to 1
 * @throws when there is none
 */
export function quantile(numbers: readonly number[], share: number): number {
  if (numbers.length === 0) throw new Error("quantile: of no numbers");
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/** The same things in another order, every order as likely (Fisher and Yates). @param random as Math.random */
export function shuffled<T>(things: readonly T[], random: () => number = Math.random): T[] {
  const result = [...things];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

/**
 * The rounds that count: without the first, which finds caches cold. A single round is all there is.
 */
export function counted<T extends { readonly round: number }>(runs: readonly T[]): readonly T[] {
  const later = runs.filter(({ round }) => round > 0);
  return later.length > 0 ? later : runs;
}

/**
 * How a cost grows: the exponent of the power of `x` that goes through the two last points, 1 for a straight line
 * through zero, 2 for a square. Below 1 while a fixed cost prevails.
 */
export function growthExponent(points: readonly { readonly x: number; readonly y: number }[]): number | undefined {
  const [before, last] = points.slice(-2);
  if (before === undefined || last === undefined || before.x === last.x || before.y <= 0 || last.y <= 0) return undefined;
  return Math.log(last.y / before.y) / Math.log(last.x / before.x);
}
