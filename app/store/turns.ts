/** Long work on files: a few at a time, the rest in order, inside this process; what runs can be ended at once. */

/** Work of one key. It gives up when the signal says so, and leaves nothing half done then. */
export type Work = (signal: AbortSignal) => Promise<void>;

export interface Turns {
  /**
   * Does work when its turn has come; work of the key that waits or runs already is not begun again.
   * @returns settles when that work has ended, been ended, or was not let in; never rejects for what was ended
   */
  run(key: string, work: Work): Promise<void>;
  /** Ends the work of a key, and does something else when it has ended, meanwhile none of that key is let in. */
  without<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Settles when no work waits or runs. */
  idle(): Promise<void>;
  /** Ends all work and lets none in any more; settles when it has ended. */
  stop(): Promise<void>;
}

interface Turn {
  readonly work: Work;
  readonly ending: AbortController;
  /** Settles when it has ended. */
  readonly done: Promise<void>;
  readonly settle: (result: Promise<void> | void) => void;
  isRunning: boolean;
}

function makeTurn(work: Work): Turn {
  let settle: Turn["settle"] = () => undefined;
  const done = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { work, ending: new AbortController(), done, settle, isRunning: false };
}

/** @param most how many works run at a time */
export function makeTurns(most: number): Turns {
  // In the order in which they came.
  const turns = new Map<string, Turn>();
  const barred = new Map<string, number>();
  let isStopped = false;

  async function perform(key: string, { work, ending, settle }: Turn): Promise<void> {
    const result = work(ending.signal).catch((error: unknown) => {
      if (!ending.signal.aborted) throw error;
    });
    await Promise.allSettled([result]);
    turns.delete(key);
    settle(result);
    next();
  }

  function next(): void {
    let running = [...turns.values()].filter(({ isRunning }) => isRunning).length;
    for (const [key, turn] of turns) {
      if (running >= most) return;
      if (turn.isRunning) continue;
      turn.isRunning = true;
      running += 1;
      void perform(key, turn);
    }
  }

  async function end(key: string): Promise<void> {
    const turn = turns.get(key);
    if (turn === undefined) return;
    turn.ending.abort();
    if (!turn.isRunning) {
      turns.delete(key);
      turn.settle();
    }
    await Promise.allSettled([turn.done]);
  }

  async function idle(): Promise<void> {
    while (turns.size > 0) await Promise.allSettled([...turns.values()].map(({ done }) => done));
  }

  return {
    run(key, work) {
      const known = turns.get(key);
      if (known !== undefined) return known.done;
      if (isStopped || barred.has(key)) return Promise.resolve();
      const turn = makeTurn(work);
      turns.set(key, turn);
      next();
      return turn.done;
    },
    async without(key, work) {
      barred.set(key, (barred.get(key) ?? 0) + 1);
      try {
        await end(key);
        return await work();
      } finally {
        const left = (barred.get(key) ?? 1) - 1;
        if (left === 0) barred.delete(key);
        else barred.set(key, left);
      }
    },
    idle,
    async stop() {
      isStopped = true;
      await Promise.all([...turns.keys()].map(end));
    },
  };
}
