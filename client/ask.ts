/** A question on the terminal whose answer is not shown. */
import { openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { Stopped, UsageError } from "./usage.ts";

const ENTER = /[\r\n\u0004]/;
const INTERRUPT = "\u0003";
const ERASE = /[\u007f\b]/;

/**
 * Asks on the terminal of the process, whatever standard input is.
 * @param signal ends the question
 * @throws UsageError when there is no terminal
 * @throws Stopped when Ctrl-C is typed, or the signal comes
 */
export async function askHidden(question: string, signal: AbortSignal): Promise<string> {
  let descriptor: number;
  try {
    descriptor = openSync("/dev/tty", "r+");
  } catch {
    throw new UsageError("push: --ask-token: there is no terminal to ask on; use --token-file FILE or the variable SLIPWAY_TOKEN");
  }
  const terminal = new ReadStream(descriptor);
  try {
    writeSync(descriptor, question);
    terminal.setRawMode(true);
    return await typed(terminal, signal);
  } finally {
    // While the stream is open: a terminal that stays raw knows no Ctrl-C.
    terminal.setRawMode(false);
    writeSync(descriptor, "\n");
    terminal.destroy();
  }
}

/** What is typed until Enter; the stream stays open. */
function typed(terminal: ReadStream, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const stop = (): void => reject(new Stopped());
    signal.addEventListener("abort", stop);
    terminal.on("error", reject).on("end", () => resolve(text));
    terminal.on("data", (bytes: Buffer) => {
      for (const character of bytes.toString("utf8")) {
        if (character === INTERRUPT) return stop();
        if (ENTER.test(character)) return resolve(text);
        text = ERASE.test(character) ? text.slice(0, -1) : text + character;
      }
    });
  });
}
