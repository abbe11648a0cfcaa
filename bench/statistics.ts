/** The middle of some numbers, of an even count the mean of the two in the middle. @throws when there is none */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new Error("median: of no numbers");
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
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
