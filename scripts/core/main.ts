import { isForPeople, problemsOf } from "./problem.ts";

/**
 * Runs a command's body and sets the exit code: what it returns (0 when nothing), or 1 with every problem
 * on stderr. `SLIPWAY_VERBOSE=1` adds the stack.
 */
export async function runMain(body: () => Promise<number | void>): Promise<void> {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    for (const problem of problemsOf(error)) process.stderr.write(`${problem}\n`);
    const verbose = process.env["SLIPWAY_VERBOSE"] === "1";
    if (error instanceof Error && (verbose || !isForPeople(error))) process.stderr.write(`${error.stack ?? ""}\n`);
    process.exitCode = 1;
  }
}
