/** What the kernel knows of processes, beside what the benchmark asks of it (bench/proc.ts). */
import { readFileSync } from "node:fs";

/** Bytes that processes have read so far, from files, sockets and pipes together: by read(2) and its like (proc_pid_io(5)). */
export const bytesRead = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]), 0);
