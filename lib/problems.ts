/**
 * Problems of a site's props: one form for all of them, and all of them in one throw.
 *
 * The form is `site.upload.maxFileSize: not an nginx size, got "1.5g"; use an integer with k, m or g ("1536m")`:
 * where, what is wrong, the value got, and what to write instead.
 */

/** One thing that is wrong. */
export interface Problem {
  /** Path of the prop, without the leading `site.`; empty for the site as a whole. */
  readonly path: string;
  /** What is wrong with it, lower case, no full stop. */
  readonly what: string;
  /** The value got; left out where there is none to show. */
  readonly got?: unknown;
  /** What is allowed, or the change that cures it. */
  readonly fix: string;
}

/** Takes problems as they are found. */
export type Report = (problem: Problem) => void;

const LONGEST_SHOWN = 80;

/** A value as it is shown in a problem: JSON, shortened, on one line. */
export function showValue(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `${value}n`;
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined; // circular
  }
  const shown = text ?? String(value);
  return shown.length <= LONGEST_SHOWN ? shown : `${shown.slice(0, LONGEST_SHOWN)}... (${shown.length} characters)`;
}

/** The one form in which a problem is told. */
export function formatProblem(problem: Problem): string {
  const where = problem.path === "" ? "site" : `site.${problem.path}`;
  const got = "got" in problem ? `, got ${showValue(problem.got)}` : "";
  return `${where}: ${problem.what}${got}; ${problem.fix}`;
}

/** Everything that is wrong with a site, thrown at once; nothing of the site has been made. */
export class SiteProblems extends Error {
  /** One formatted line for each problem, in the order of the settings' table. */
  readonly problems: readonly string[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.map(formatProblem);
    super(lines.join("\n"));
    this.name = "SiteProblems";
    this.problems = Object.freeze(lines);
  }
}
