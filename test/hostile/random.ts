/** Random choices that come again with the same seed; fast, and good enough for nothing but tests. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** The next 32 bits (the mulberry32 generator). */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let word = this.#state;
    word = Math.imul(word ^ (word >>> 15), word | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return (word ^ (word >>> 14)) >>> 0;
  }

  /** A whole number, both ends included. */
  integer(least: number, most: number): number {
    return least + (this.bits() % (most - least + 1));
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.integer(1, times) === 1;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.integer(0, choices.length - 1)];
    if (choice === undefined) throw new Error("pick: no choices");
    return choice;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.bits() & 0xff));
  }

  /** Letters, digits and what headers and boundaries are made of. */
  text(length: number): string {
    return Array.from({ length }, () => this.pick([...'abcXYZ0123456789"\\;:=/-_.,%*[]() \t'])).join("");
  }
}
