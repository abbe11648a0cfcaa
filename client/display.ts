import type { Plan, PlannedFile } from "./plan.ts";
import type { SendResult } from "./send/answer.ts";

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

/** What will be sent, before it is. */
export function planLine(plan: Plan, host: string): string {
  const total = plan.files.reduce((sum, file) => sum + file.size, 0);
  return `${plan.files.length} ${plan.files.length === 1 ? "file" : "files"}, ${bytes(total)}, to ${host}`;
}

/** One line of progress, at most `columns` wide. */
export function progressLine(file: PlannedFile, sent: number, elapsedMs: number, columns: number): string {
  const share = file.size === 0 ? 1 : sent / file.size;
  const speed = elapsedMs > 0 ? (sent / elapsedMs) * 1000 : 0;
  const left = speed > 0 && sent < file.size ? `, ${seconds((file.size - sent) / speed)} left` : "";
  const facts = `${String(Math.floor(share * 100)).padStart(3)}%  ${bytes(sent)} of ${bytes(file.size)}, ${bytes(speed)}/s${left}`;
  const room = Math.max(8, columns - facts.length - 3);
  const name = printable(file.name);
  return `${name.length > room ? `${name.slice(0, room - 3)}...` : name}  ${facts}`.slice(0, Math.max(1, columns - 1));
}

/** How a file ended, for a person. */
export function resultLine(file: PlannedFile, result: SendResult): string {
  const name = printable(file.argument);
  if (!result.ok) return `FAIL  ${name}: ${result.message}${result.status === null ? "" : ` (${result.status} ${result.code})`}; ${result.hint}`;
  const speed = result.ms > 0 ? `, ${bytes((result.size / result.ms) * 1000)}/s` : "";
  const checked = result.checked ? `SHA-256 ${result.sha256}` : `SHA-256 ${result.sha256} (the site computes none to compare with)`;
  return `ok    ${name}: ${bytes(result.size)} in ${seconds(result.ms / 1000)}${speed}\n      id ${result.id}, ${checked}`;
}

/** How a file ended, for programs: one object for each file. */
export function resultObject(file: PlannedFile, result: SendResult): Readonly<Record<string, unknown>> {
  if (!result.ok) {
    const { code, status, message, hint } = result;
    return { file: file.argument, ok: false, error: { code, status, message, hint } };
  }
  return { file: file.argument, ok: true, id: result.id, name: result.name, size: result.size, sha256: result.sha256, checked: result.checked, ms: Math.round(result.ms) };
}

/** A name without anything that would steer the terminal. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, "?");
