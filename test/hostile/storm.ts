import { segmentGenerators } from "./segment-cases.ts";
import { everyAbort } from "./abort-cases.ts";
import { http1Generators } from "./http1-cases.ts";
import { http2Generators } from "./http2-cases.ts";
import type { Generator, HostileCase } from "./case.ts";
import { judge, play, type PlayOptions } from "./play.ts";
import { Random } from "./random.ts";
import { smugglingGenerators } from "./smuggling.ts";

export interface StormOptions extends PlayOptions {
  readonly seed: number;
  /** Number of the first case; with `count` 1 it is the only one. @default 0 */
  readonly from?: number;
  readonly count: number;
  /** Connections at once. @default 128 */
  readonly atOnce?: number;
  /** Asked now and then; a text ends the storm with that finding. */
  readonly trouble?: () => string | undefined;
  /** Told how many cases are done, after each. */
  readonly progress?: (done: number) => void;
}

/** When a case was played, and from which port. */
export interface Appearance {
  readonly index: number;
  readonly name: string;
  readonly port: number;
  /** Milliseconds since the epoch. */
  readonly began: number;
}

/** What came of a storm. */
export interface StormResult {
  readonly done: number;
  /** How often each generator got each status; "none" is a connection without an answer. */
  readonly statuses: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly findings: readonly string[];
  /** Every case, in the order in which they ended. */
  readonly appearances: readonly Appearance[];
}

/** Every generator, each as often as it weighs. */
const wheel: readonly Generator[] = [...http1Generators, ...smugglingGenerators, ...segmentGenerators, ...http2Generators].flatMap((generator) =>
  Array.from({ length: generator.weight }, () => generator),
);

/** The case of a number: every other of the first is an abort at some byte, the others depend on seed and number alone. */
function caseMaker(options: StormOptions): (index: number) => { readonly name: string; readonly made: HostileCase } {
  const fixed = everyAbort();
  return (index) => {
    const random = new Random(Math.imul(options.seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
    random.bits();
    const generator = (index % 2 === 0 ? fixed[index / 2] : undefined) ?? random.pick(wheel);
    const made = generator.make(random, index);
    return { name: generator.name, made: { ...made, tls: random.once(8) } };
  };
}

/** Plays all cases, many at once. */
export async function storm(options: StormOptions): Promise<StormResult> {
  const make = caseMaker(options);
  const statuses = new Map<string, Map<string, number>>();
  const findings: string[] = [];
  const appearances: Appearance[] = [];
  const playing = new Map<number, string>();
  const last = (options.from ?? 0) + options.count;
  let next = options.from ?? 0;
  let done = 0;

  const worker = async (): Promise<void> => {
    while (next < last && findings.length < 20) {
      const index = next++;
      const { name, made } = make(index);
      playing.set(index, name);
      const began = Date.now();
      const played = await play(made, options);
      appearances.push({ index, name, port: played.port, began });
      const result = judge(made, played);
      const tally = statuses.get(name) ?? new Map<string, number>();
      statuses.set(name, tally);
      for (const status of result.statuses.length === 0 ? ["none"] : result.statuses.map(String)) tally.set(status, (tally.get(status) ?? 0) + 1);
      findings.push(...result.findings.map((finding) => `case ${index} (${name}${made.tls === true ? ", TLS" : ""}, port ${played.port}): ${finding}`));
      const trouble = done % 50 === 0 ? options.trouble?.() : undefined;
      if (trouble !== undefined) {
        findings.push(`${trouble}; under way: ${[...playing].map(([number, kind]) => `${number} (${kind})`).join(", ")}`);
        next = last;
      }
      playing.delete(index);
      done++;
      options.progress?.(done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.atOnce ?? 128, options.count) }, worker));
  return { done, statuses, findings, appearances };
}
