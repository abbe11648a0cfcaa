/** One commit, and so one wait for the disk, for all that is to be written at about the same time. */
import type { Database } from "libsql";
import { inTransaction } from "./transaction.ts";

interface Waiting {
  readonly work: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers what the requests of one turn of the event loop write. While a commit waits for the disk more comes in, so the
 * busier the service is, the more go together; one alone waits for nobody.
 */
export class GroupCommit {
  readonly #database: Database;
  #waiting: Waiting[] = [];

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Runs work in a write transaction: all of it or none, whatever becomes of what others write beside it.
   * @param work may be run twice, the first time in vain
   * @returns settles when it is durable
   * @throws what the work or the commit throws
   */
  run(work: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ work, resolve, reject }) === 1) setImmediate(() => this.flush());
    });
  }

  /** Commits what waits, now. */
  flush(): void {
    const together = this.#waiting;
    this.#waiting = [];
    if (together.length > 1 && this.#commit(together)) return;
    // One that fails must not take the others with it: each by itself.
    for (const { work, resolve, reject } of together) {
      try {
        inTransaction(this.#database, work);
        resolve();
      } catch (error) {
        reject(error);
      }
    }
  }

  /** Says whether all of it is durable; if not, none of it has happened. */
  #commit(together: readonly Waiting[]): boolean {
    try {
      inTransaction(this.#database, () => {
        for (const { work } of together) work();
      });
    } catch {
      return false;
    }
    for (const { resolve } of together) resolve();
    return true;
  }
}
