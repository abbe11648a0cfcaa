import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** Ticks a second in /proc/PID/stat: USER_HZ, 100 on every architecture that Debian's nginx runs on (proc(5)). */
const USER_HZ = 100;

/** The fields of /proc/PID/stat after the program's name, which may contain blanks and brackets. */
function fieldsAfterName(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined; // it has ended
  }
}

/** A process and all below it, itself first. */
export function processTree(pid: number): number[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), parent: Number(fieldsAfterName(Number(name))?.[1]) }));
  const tree = [pid];
  for (const one of tree) tree.push(...parents.filter(({ parent }) => parent === one).map((child) => child.pid));
  return tree;
}

/** Processor seconds that processes have used, in user mode and in the kernel, all threads, ended ones included. */
export function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = fieldsAfterName(pid);
    return fields === undefined ? 0 : Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / USER_HZ;
}

/** A line of /proc/PID/status in bytes. */
function statusBytes(pid: number, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (match === null) throw new Error(`/proc/${pid}/status: no ${name}`);
  return Number(match[1]) * 1024;
}

/** Resident memory of a process now, bytes. */
export const residentBytes = (pid: number): number => statusBytes(pid, "VmRSS");

/** Highest resident memory since its start or {@link resetPeak}, bytes. */
export const peakBytes = (pid: number): number => statusBytes(pid, "VmHWM");

/** Begins the watch of {@link peakBytes} anew (proc(5), clear_refs, value 5). */
export const resetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, "5");
