/**
 * Something that a person has to put right. Its message is in the one form
 * `what: what was wrong, the value got; the fix`, and it is printed without a stack.
 */
export class Problem extends Error {
  override readonly name = "Problem";
  /** Every problem found, one sentence each; the message is all of them, a line each. */
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[], options?: ErrorOptions) {
    const all = typeof problems === "string" ? [problems] : problems;
    super(all.join("\n"), options);
    this.problems = all;
  }
}

/** The sentences to show for any thrown value: its own list of problems, or its message. */
export function problemsOf(error: unknown): readonly string[] {
  if (error instanceof Error && "problems" in error && Array.isArray(error.problems)) return error.problems.map(String);
  return [error instanceof Error ? error.message : String(error)];
}

/** Whether the error is meant for a person, so that a stack would only be noise. */
export function isForPeople(error: unknown): boolean {
  return error instanceof Error && "problems" in error;
}
