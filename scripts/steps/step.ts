import type { Log } from "../core/log.ts";
import { Problem, problemsOf } from "../core/problem.ts";

/** What a step came to: `found` when there was nothing to do, `made` when it did something. */
export interface StepResult {
  readonly state: "found" | "made";
  readonly text: string;
}

/** What a step may tell while it works. */
export interface StepReport {
  /** What it is about to do, and why that takes time. */
  readonly begin: (text: string) => void;
  readonly warn: (text: string) => void;
}

/** One prerequisite: found and used, or brought about. Running it twice does nothing the second time. */
export interface Step {
  readonly name: string;
  /** Names of the steps that must have ended well before this one starts. */
  readonly after: readonly string[];
  readonly run: (report: StepReport) => Promise<StepResult>;
}

export const found = (text: string): StepResult => ({ state: "found", text });
export const made = (text: string): StepResult => ({ state: "made", text });

/**
 * Runs the steps, each as soon as those before it have ended, independent ones side by side.
 * A failing step stops only those that need it.
 * @returns the names of the steps that had something to do
 * @throws Problem with the problems of every step that failed
 */
export async function runSteps(steps: readonly Step[], log: Log): Promise<readonly string[]> {
  const problems: string[] = [];
  const changed: string[] = [];
  const running = new Map<string, Promise<boolean>>();
  for (const step of steps) {
    const before = step.after.filter((name) => running.has(name));
    running.set(step.name, runAfter(step, before, running, log, problems, changed));
  }
  await Promise.all(running.values());
  if (problems.length > 0) throw new Problem(problems);
  return changed;
}

async function runAfter(
  step: Step,
  before: readonly string[],
  running: ReadonlyMap<string, Promise<boolean>>,
  log: Log,
  problems: string[],
  changed: string[],
): Promise<boolean> {
  const { name } = step;
  for (const earlier of before) {
    if (!(await running.get(earlier))) {
      log({ kind: "wait", name, text: `left out, because ${earlier} failed` });
      return false;
    }
  }
  const start = performance.now();
  try {
    const result = await step.run({
      begin: (text) => log({ kind: "begin", name, text }),
      warn: (text) => log({ kind: "warn", name, text }),
    });
    log({ kind: result.state, name, text: result.text, ms: performance.now() - start });
    if (result.state === "made") changed.push(name);
    return true;
  } catch (error) {
    const all = problemsOf(error);
    log({ kind: "fail", name, text: all[0]?.split("\n")[0] ?? "", ms: performance.now() - start });
    problems.push(...all);
    return false;
  }
}
