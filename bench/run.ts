import { Problem } from "../scripts/core/problem.ts";
import { Cleanup } from "./cleanup.ts";
import { holdMemory, makeGround } from "./ground.ts";
import { describeMachine } from "./machine.ts";
import type { BenchOptions } from "./options.ts";
import type { Report } from "./report.ts";
import type { Session } from "./session.ts";
import { runFiles } from "./suites/files.ts";
import { runGrowth } from "./suites/growth.ts";
import { runLink } from "./suites/link.ts";
import { runScale } from "./suites/scale.ts";
import { runClose, runSpeed } from "./suites/speed.ts";

const SUITE = { speed: runSpeed, close: runClose, scale: runScale, growth: runGrowth, link: runLink, files: runFiles } as const;

/** Rejects when the command is told to end. */
function untilTold(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => reject(new Problem(`bench: ended by ${signal}; nothing was reported, the temporary folder is removed`)));
    }
  });
}

/**
 * Runs a suite on a ground of its own, and leaves nothing of it behind.
 * @param say takes a line on how far it is
 * @throws Problem when something is missing, or the benchmark is told to end
 */
export async function runBench(options: BenchOptions, say: (line: string) => void): Promise<Report> {
  const cleanup = new Cleanup();
  const told = untilTold();
  try {
    const machine = await describeMachine();
    const held = options.hold === false ? null : await holdMemory(options.hold, cleanup);
    say(held === null ? "the free memory is not held: what follows is a first look" : `free memory: ${held}`);
    const session: Session = { options, ground: await makeGround(options.dir, cleanup), cleanup, say };
    const report = await Promise.race([SUITE[options.suite](session), told]);
    return { ...report, machine, held, rounds: options.rounds };
  } finally {
    await cleanup.run();
  }
}
