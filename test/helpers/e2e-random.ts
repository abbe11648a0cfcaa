import { createHash } from "node:crypto";

/** Whole numbers that look random and come again with the same seed: digests of a counter. */
export function generator(seed: number): { readonly integer: (least: number, most: number) => number } {
  let counter = 0;
  const next = (): number => createHash("sha256").update(`${seed}/${counter++}`).digest().readUInt32BE() / 2 ** 32;
  return { integer: (least, most) => least + Math.floor(next() * (most - least + 1)) };
}
