/**
 * Files put one behind the other without their bytes passing through JavaScript: by cat(1). That of coreutils from 9.0
 * on calls copy_file_range(2), so the kernel copies, or shares blocks where the file system can and they are aligned;
 * any other cat reads and writes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { removeIfThere } from "./data.ts";

const running = new Set<ChildProcess>();

// What a service that has stopped had begun is begun anew: it would only keep the disk busy.
process.on("exit", () => {
  for (const child of running) child.kill();
});

/** Runs cat, which writes to the file of a descriptor. */
async function runCat(folder: string, sources: readonly string[], output: number, signal: AbortSignal | undefined): Promise<void> {
  const environment = { PATH: process.env["PATH"], LC_ALL: "C" };
  // Where no file is named, cat copies its standard input: nothing.
  const child = spawn("cat", ["--", ...sources], { cwd: folder, env: environment, stdio: ["ignore", output, "pipe"] });
  // The kernel leaves a long copy_file_range(2) only for a signal that ends the process.
  const end = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", end);
  running.add(child);
  try {
    const [errors, [code, killedBy]] = await Promise.all([text(child.stderr as Readable), once(child, "close")]);
    signal?.throwIfAborted();
    if (code !== 0) throw new Error(`cat ended with ${code ?? killedBy}: ${errors.trim()}`);
  } finally {
    running.delete(child);
    signal?.removeEventListener("abort", end);
  }
}

/**
 * Makes a file of others; when it fails, none is left.
 * @param folder that the sources are found from
 * @param sources at most a few hundred, as they are named on a command line
 * @param target absolute path; must not exist
 * @param signal ends the copy at once; its reason is thrown when cat has ended
 * @throws {Error} with what cat said, or the file system's error
 */
export async function concatenate(folder: string, sources: readonly string[], target: string, mode: number, signal?: AbortSignal): Promise<void> {
  const handle = await open(target, "wx", mode);
  try {
    signal?.throwIfAborted();
    await runCat(folder, sources, handle.fd, signal);
  } catch (error) {
    // Whoever cancels the upload has removed it already.
    await removeIfThere(target);
    throw error;
  } finally {
    await handle.close();
  }
}
