/** A question on the terminal whose answer is not shown. */
import { closeSync, openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { UsageError } from "./usage.ts";

const ENTER = /[\r\n\u0004]/;
const INTERRUPT = "\u0003";
const ERASE = /[\u007f\b]/;

/**
 * Asks on the terminal of the process, whatever standard input is.
 * @throws UsageError when there is no terminal, or Ctrl-C is typed
 */
export async function askHidden(question: string): Promise<string> {
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
    return await typed(terminal);
  } finally {
    terminal.setRawMode(false);
    writeSync(descriptor, "\n");
    terminal.destroy();
    if (!terminal.destroyed) closeSync(descriptor);
  }
}

async function typed(terminal: ReadStream): Promise<string> {
  let text = "";
  for await (const bytes of terminal as AsyncIterable<Buffer>) {
    for (const character of bytes.toString("utf8")) {
      if (character === INTERRUPT) throw new UsageError("push: --ask-token: stopped");
      if (ENTER.test(character)) return text;
      text = ERASE.test(character) ? text.slice(0, -1) : text + character;
    }
  }
  return text;
}
