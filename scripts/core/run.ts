import { execa } from "execa";
import { which } from "zx";
import { Problem } from "./problem.ts";

/** A command line as a list: no shell ever sees it, so nothing in it needs quoting. */
export type Argv = readonly [string, ...string[]];

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds after which the command is ended. @default none */
  readonly timeoutMs?: number;
  /** Text for the command's stdin. @default none: stdin is empty */
  readonly input?: string;
  /** Called with each line that the command prints, on either stream. @default none */
  readonly onLine?: (line: string) => void;
}

export interface RunResult {
  readonly ok: boolean;
  /** `undefined` when it was ended by a signal or could not be started. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** The command line, for messages. */
  readonly command: string;
}

export type Run = (argv: Argv, options?: RunOptions) => Promise<RunResult>;

/** Runs a command to its end, whatever the end is. Never throws. */
export const run: Run = async (argv, options = {}) => {
  const [file, ...args] = argv;
  const { onLine } = options;
  const child = execa(file, args, {
    reject: false,
    ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, forceKillAfterDelay: 2000 }),
    maxBuffer: 64 * 1024 * 1024,
    all: true,
  });
  if (onLine !== undefined) await eachLine(child.iterable({ from: "all" }), onLine);
  const result = await child;
  return {
    ok: !result.failed,
    exitCode: result.exitCode,
    stdout: text(result.stdout),
    stderr: text(result.stderr) || (result.exitCode === undefined ? text(result.shortMessage) : ""),
    timedOut: result.timedOut,
    command: argv.join(" "),
  };
};

const text = (value: unknown): string => (typeof value === "string" ? value : "");

async function eachLine(lines: AsyncIterable<unknown>, onLine: (line: string) => void): Promise<void> {
  try {
    for await (const line of lines) onLine(String(line));
  } catch {
    // The iterable throws when the command fails; the result says so too, with more to show.
  }
}

/** The last lines that say something, of stderr if there are any, else of stdout. */
export function lastLines(result: Pick<RunResult, "stdout" | "stderr">, count = 12): string {
  const source = result.stderr.trim() === "" ? result.stdout : result.stderr;
  return source.trim().split("\n").slice(-count).join("\n");
}

/**
 * Runs a command that must succeed and returns its result.
 * @throws Problem with the command line and its last lines.
 */
export async function mustRun(runner: Run, what: string, argv: Argv, options?: RunOptions): Promise<RunResult> {
  const result = await runner(argv, options);
  if (result.ok) return result;
  const how = result.timedOut ? "took too long and was ended" : `ended with ${result.exitCode ?? "a signal"}`;
  throw new Problem(`${what}: "${argv.join(" ")}" ${how}\n${lastLines(result)}`);
}

/** Where a program is, or `undefined`. Looks in the administrator's folders too, which a user's PATH may lack. */
export async function findProgram(name: string): Promise<string | undefined> {
  const path = `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
  return (await which(name, { nothrow: true, path })) ?? undefined;
}
