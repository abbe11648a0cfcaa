import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { planLine, printable, progressLine, resultLine, resultObject } from "./display.ts";
import { parseFlags, UsageError, USAGE, type PushFlags } from "./flags.ts";
import { planFiles, type PlannedFile } from "./plan.ts";
import type { SendResult } from "./send/answer.ts";
import { openSite, type Site } from "./send/site.ts";

/** Where the client writes, and from where relative paths count. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Columns of the terminal, or `undefined` where there is none: then no line is ever redrawn. */
  readonly columns: number | undefined;
  readonly folder: string;
}

const PROGRESS_EVERY_MS = 200;

/** The command `slipway`. @returns the exit code, see {@link USAGE} */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const [command, ...rest] = args;
  try {
    if (command === undefined || command === "--help" || command === "-h") throw new UsageError("");
    if (command !== "push") throw new UsageError(`slipway: no such command, got "${command}"; push is the one there is`);
    const flags = parseFlags(rest);
    if (flags !== "help") return await push(flags, io);
    io.out(`${USAGE}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.err(error.message === "" ? `${USAGE}\n` : `${error.message}\n\n${USAGE}\n`);
    return 2;
  }
}

async function push(flags: PushFlags, io: Io): Promise<number> {
  const ca = await readCa(flags, io);
  const plan = await planFiles(flags.files, io.folder);
  for (const { argument, why } of plan.unreadable) io.err(`skip  ${printable(argument)}: ${why}\n`);
  if (plan.unreadable.length > 0 && !flags.skipUnreadable) {
    io.err("Nothing was sent. Add --skip-unreadable to send the others.\n");
    return 1;
  }
  if (!flags.json) io.err(`${planLine(plan, flags.url.host)}\n`);
  const onNote = (text: string): void => void (flags.json || io.err(`note  ${printable(text)}\n`));
  const site = await openSite({ url: flags.url, onNote, ...(ca === undefined ? {} : { ca }) });
  let failed = 0;
  for (const file of plan.files) {
    const result = await sendOne(file, flags, site, io);
    if (!result.ok) failed += 1;
    if (flags.json) io.out(`${JSON.stringify(resultObject(file, result))}\n`);
    else (result.ok ? io.out : io.err)(`${resultLine(file, result)}\n`);
  }
  await site.close();
  return failed + plan.unreadable.length > 0 ? 1 : 0;
}

async function readCa(flags: PushFlags, io: Io): Promise<Buffer | undefined> {
  if (flags.caFile === undefined) return undefined;
  try {
    return await readFile(resolve(io.folder, flags.caFile));
  } catch (error) {
    throw new UsageError(`--cacert: cannot be read, got "${flags.caFile}" (${(error as NodeJS.ErrnoException).code}); name a PEM file`);
  }
}

async function sendOne(file: PlannedFile, flags: PushFlags, site: Site, io: Io): Promise<SendResult> {
  const { columns } = io;
  const start = performance.now();
  let shown = 0;
  const onProgress = (sent: number): void => {
    const now = performance.now();
    if (columns === undefined || flags.json || now - shown < PROGRESS_EVERY_MS) return;
    shown = now;
    io.err(`\r\x1b[K${progressLine(file, sent, now - start, columns)}`);
  };
  const { description } = flags;
  const result = await site.send(file, { streams: 4, onProgress, ...(description === undefined ? {} : { description }) });
  if (shown > 0) io.err("\r\x1b[K");
  return result;
}
