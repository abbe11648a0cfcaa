/** Locks on keys, inside this process. */

export interface KeyedLocks {
  /** Runs work while no other work holds any of the keys. */
  run<T>(keys: readonly string[], work: () => Promise<T>): Promise<T>;
  /** Whether work that holds the key runs or waits. */
  held(key: string): boolean;
}

export function makeLocks(): KeyedLocks {
  const tails = new Map<string, Promise<void>>();
  return {
    async run(keys, work) {
      // All keys are queued for in one step, before anything is waited for: nobody can hold one and wait for another in a circle.
      const unique = [...new Set(keys)];
      const before = unique.map((key) => tails.get(key));
      let release = (): void => undefined;
      const mine = new Promise<void>((resolve) => {
        release = resolve;
      });
      for (const key of unique) tails.set(key, mine);
      await Promise.all(before);
      try {
        return await work();
      } finally {
        for (const key of unique) if (tails.get(key) === mine) tails.delete(key);
        release();
      }
    },
    held: (key) => tails.has(key),
  };
}
