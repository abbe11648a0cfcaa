/** The texts that push shows, as functions of what it knows. */
import type { ExitCode } from "./exit-codes.ts";
import type { Plan, PlannedFile } from "./plan.ts";
import type { SendFailure, SendResult } from "./send/answer.ts";

/** Bytes in the units that tools of the shell use: powers of 1024, at most one decimal. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let unit = 0;
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Seconds as `8 s`, `4 min 05 s` or `2 h 03 min`. */
export function seconds(count: number): string {
  const whole = Math.max(0, Math.round(count));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

/** `1 file`, `2 files`. */
export const counted = (count: number): string => `${count} ${count === 1 ? "file" : "files"}`;

export const totalOf = (files: readonly Pick<PlannedFile, "size">[]): number => files.reduce((sum, { size }) => sum + size, 0);

/** What will be sent, before it is. */
export function planLine(plan: Pick<Plan, "files">, host: string): string {
  return `${counted(plan.files.length)}, ${bytes(totalOf(plan.files))}, to ${host}`;
}

/** That a file goes on where an earlier run was stopped. */
export function resumedLine({ argument, size }: Pick<PlannedFile, "argument" | "size">, resumed: number): string {
  const share = resumed === size ? `all of its ${bytes(size)}` : `${bytes(resumed)} of ${bytes(size)}`;
  return `note  ${printable(argument)} goes on where it stopped: the site has ${share} already`;
}

/** Bytes a second; empty where no time is known. */
const speed = (count: number, ms: number): string => (ms > 0 ? `, ${bytes((count / ms) * 1000)}/s` : "");

/** How much arrived, and how fast what was sent now: what was there before took none of the time. */
function amount({ size, resumed, ms }: { readonly size: number; readonly resumed: number; readonly ms: number }): string {
  if (resumed === 0) return `${bytes(size)} in ${seconds(ms / 1000)}${speed(size, ms)}`;
  if (resumed === size) return `${bytes(size)}, all there already`;
  return `${bytes(size)}, of which ${bytes(size - resumed)} sent now in ${seconds(ms / 1000)}${speed(size - resumed, ms)}`;
}

/** How a file ended, for a person. */
export function resultLine(file: Pick<PlannedFile, "argument">, result: SendResult): string {
  const name = printable(file.argument);
  if (!result.ok) return `FAIL  ${name}: ${printable(result.message)}${result.status === null ? "" : ` (${result.status} ${result.code})`}; ${printable(result.hint)}`;
  const checked = result.checked ? `SHA-256 ${result.sha256}` : `SHA-256 ${result.sha256} (the site computes none to compare with)`;
  return `ok    ${name}: ${amount(result)}\n      id ${result.id}, ${checked}`;
}

/** A sentence to go on with. */
const sentence = (text: string): string => printable(text).replace(/\.$/, "");

/** What kept all files from being sent, for a person. */
export function unreachedLine({ message, hint }: SendFailure): string {
  return `FAIL  ${sentence(message)}; ${sentence(hint)}. Nothing was sent.`;
}

/** What ended a run in the middle of it, for a person. */
export function lostLine({ message, status }: SendFailure): string {
  const what = status === 507 ? "the site takes no more" : "the site does not answer any more";
  return `FAIL  ${what}: ${sentence(message)}. What it does not have yet was not tried again.`;
}

const errorObject = ({ kind, code, status, message, hint, kept }: SendFailure): object => ({ kind, code, status, message, hint, ...(kept === undefined ? {} : { kept }) });

/** The same for programs. */
export const unreachedObject = (failure: SendFailure): object => ({ error: errorObject(failure) });

/** How a file ended, for programs: one object for each file. */
export function resultObject(file: Pick<PlannedFile, "argument">, result: SendResult): Readonly<Record<string, unknown>> {
  if (!result.ok) return { file: file.argument, ok: false, error: errorObject(result) };
  return { file: file.argument, ok: true, id: result.id, name: result.name, size: result.size, resumed: result.resumed, sha256: result.sha256, checked: result.checked, ms: Math.round(result.ms) };
}

/** A run, when it has ended. */
export interface Summary {
  /** Files that should be sent, with those that cannot be read. */
  readonly files: number;
  readonly arrived: number;
  /** Bytes of them. */
  readonly bytes: number;
  /** Of `bytes`: the site had them from an earlier run. */
  readonly resumed: number;
  readonly failed: number;
  /** Of `failed`: could not be read, and so was not begun. */
  readonly unreadable: number;
  /** Links, pipes and such, which are not sent. */
  readonly skipped: number;
  /** Arrived in an earlier run. */
  readonly before: number;
  readonly ms: number;
  readonly exitCode: ExitCode;
}

/** How all of it ended, in one line. */
export function summaryLine(summary: Summary): string {
  const { files, arrived, failed } = summary;
  const rest = files - arrived - failed;
  const parts = [
    `${arrived} of ${counted(files)} arrived, ${amount({ ...summary, size: summary.bytes })}`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(rest > 0 ? [`${rest} not sent`] : []),
    ...(summary.skipped > 0 ? [`${summary.skipped} skipped`] : []),
  ];
  return parts.join("; ");
}

/** A name without anything that would steer the terminal. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "?");
