import { completionScript, type Shell, shells } from "./completion.ts";
import { parseFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { push } from "./push.ts";
import { Stopped, USAGE, UsageError } from "./usage.ts";
import { readVersion } from "./version.ts";

/** The command `slipway`. @returns the exit code, see exit-codes.ts */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const [command, ...rest] = args;
  try {
    if (command === "push") return await runPush(rest, io);
    io.out(answer(command, rest));
    return 0;
  } catch (error) {
    if (error instanceof Stopped) return 130;
    if (!(error instanceof UsageError)) throw error;
    io.err(`${error.message}\nSee slipway push --help.\n`);
    return 2;
  }
}

async function runPush(args: readonly string[], io: Io): Promise<number> {
  const flags = parseFlags(args);
  if (flags !== "help") return push(flags, io);
  io.out(`${USAGE}\n`);
  return 0;
}

/** What the other commands print. */
function answer(command: string | undefined, args: readonly string[]): string {
  if (command === undefined || command === "--help" || command === "-h" || command === "help") return `${USAGE}\n`;
  if (command === "--version") return `slipway ${readVersion()}\n`;
  if (command !== "completion") throw new UsageError(`slipway: no such command, got "${command}"; push and completion are those there are`);
  const shell = shells.find((known) => known === args[0]);
  if (shell === undefined || args.length > 1) throw new UsageError(`completion: not a shell, got "${args.join(" ")}"; give ${shells.join(", ")}`);
  return completionScript(shell satisfies Shell);
}
