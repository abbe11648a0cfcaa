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

const { env, stdout, stderr } = process;

// Whoever reads the output may have gone, as in `| head`: that is a wish to stop. What was not sent then must not pass for sent.
for (const output of [stdout, stderr]) {
  output.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") process.exit(1);
    stopping.abort();
  });
}

const isTerminal = stderr.isTTY === true && env["TERM"] !== "dumb";

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => stdout.write(text),
  err: (text) => stderr.write(text),
  columns: isTerminal ? () => stderr.columns : undefined,
  // npm runs scripts in the checkout; a relative path counts from where the user is.
  folder: env["npm_lifecycle_event"] === "push" ? (env["INIT_CWD"] ?? process.cwd()) : process.cwd(),
  env,
  input: () => process.stdin,
  ask: (question) => askHidden(question, stopping.signal),
  signal: stopping.signal,
});
