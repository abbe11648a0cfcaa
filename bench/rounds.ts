import { NotAvailable } from "./contestant.ts";
import type { Session } from "./session.ts";
import { shuffled } from "./statistics.ts";

/** What became of something that was to be measured, beside its runs. */
export interface Outcome<Run> {
  readonly runs: readonly Run[];
  /** Why it cannot be measured here. */
  readonly notAvailable?: string;
  /** What went wrong in the run that ended its part. */
  readonly failed?: string;
}

/** Something that is measured in each round. */
export class Entry<Run> {
  readonly name: string;
  readonly #session: Session;
  readonly #measure: (round: number) => Promise<Run>;
  readonly #show: (run: Run) => string;
  readonly #rounds: number;
  readonly #runs: Run[] = [];
  #notAvailable: string | undefined;
  #failed: string | undefined;

  /**
   * @param measure measures once; what it throws ends the entry's part
   * @param show a run in a few words
   * @param rounds how often. @default every round
   */
  constructor(session: Session, name: string, measure: (round: number) => Promise<Run>, show: (run: Run) => string, rounds = Infinity) {
    this.name = name;
    this.#session = session;
    this.#measure = measure;
    this.#show = show;
    this.#rounds = rounds;
  }

  /** Does a step; when it throws, the entry takes no further part. */
  async attempt(step: () => Promise<void>): Promise<void> {
    if (this.#notAvailable !== undefined || this.#failed !== undefined) return;
    try {
      await step();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (error instanceof NotAvailable) this.#notAvailable = message;
      else this.#failed = message;
      this.#session.say(noteOf(this.name, this.outcome)!);
    }
  }

  async round(round: number): Promise<void> {
    if (round >= this.#rounds) return;
    await this.attempt(async () => {
      const run = await this.#measure(round);
      this.#runs.push(run);
      this.#session.say(`round ${round + 1}/${this.#session.options.rounds}  ${this.name}: ${this.#show(run)}`);
    });
  }

  get outcome(): Outcome<Run> {
    return {
      runs: this.#runs,
      ...(this.#notAvailable === undefined ? {} : { notAvailable: this.#notAvailable }),
      ...(this.#failed === undefined ? {} : { failed: this.#failed }),
    };
  }
}

/** A line for what was not measured to the end, with the reason. */
export function noteOf(name: string, { notAvailable, failed }: Outcome<unknown>): string | undefined {
  if (notAvailable !== undefined) return `NOT AVAILABLE ${name}: ${notAvailable}`;
  return failed === undefined ? undefined : `FAILED ${name}: ${failed}`;
}

/** Whether there is something to show: runs, and none that failed. */
export const isWhole = ({ runs, failed }: Outcome<unknown>): boolean => runs.length > 0 && failed === undefined;

/** All entries in each round, in another order each time, so that what changes with time hits all alike. */
export async function runRounds(session: Session, entries: readonly Pick<Entry<unknown>, "round">[]): Promise<void> {
  for (let round = 0; round < session.options.rounds; round++) {
    for (const entry of shuffled(entries)) await entry.round(round);
  }
}
