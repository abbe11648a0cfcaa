/**
 * Works on all items at once, so that they share what they wait for, and ends when nothing of it runs any more.
 * @returns what became of each, in their order
 * @throws the error of the first of them that failed, in their order
 */
export async function allOf<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<readonly R[]> {
  const ends = await Promise.allSettled(items.map(work));
  return ends.map((end) => {
    if (end.status === "rejected") throw end.reason;
    return end.value;
  });
}
