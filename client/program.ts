/** The command as a process: what the one-file build and the checkout both run. */
import { askHidden } from "./ask.ts";
import { main } from "./cli.ts";

const stopping = new AbortController();

/** npm passes on the Ctrl-C that the terminal has sent already; a person is slower. */
const SAME_CTRL_C_MS = 500;
let interruptedAt = 0;

/** Once asks for a clean end, twice is an end at once. */
function interrupted(): void {
  const now = performance.now();
  if (!stopping.signal.aborted) interruptedAt = now;
  else if (now - interruptedAt > SAME_CTRL_C_MS) process.exit(130);
  stopping.abort();
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupted);

// Whoever reads the output may have gone, as in `| head`: nobody is left to tell.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const { env, stderr } = process;
const isTerminal = stderr.isTTY === true && env["TERM"] !== "dumb";

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => stderr.write(text),
  columns: isTerminal ? () => stderr.columns : undefined,
  // npm runs scripts in the checkout; a relative path counts from where the user is.
  folder: env["npm_lifecycle_event"] === "push" ? (env["INIT_CWD"] ?? process.cwd()) : process.cwd(),
  env,
  input: () => process.stdin,
  ask: askHidden,
  signal: stopping.signal,
});
