/** Directories and modes: exact whatever the umask, and written to the disk when asked. */
import { chmod, mkdir, open, stat } from "node:fs/promises";
import { systemCode } from "../refusal.ts";

const modeBits = 0o7777;
const worldBits = 0o007;

/** File systems that cannot sync a directory, or cannot change modes, say so with one of these. */
const notSupported = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);
const modeRefused = new Set(["EPERM", "EACCES", ...notSupported]);

/** Writes a directory's entries to the disk. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } catch (error) {
    if (!notSupported.has(systemCode(error) ?? "")) throw error;
  } finally {
    await handle.close();
  }
}

/** Syncs that run, and those that begin when they have ended, by the paths of their directories. */
const running = new Map<string, Promise<void>>();
const next = new Map<string, Promise<void>>();

/**
 * Writes a directory's entries to the disk, together with others who ask for it at about the same time: a sync serves
 * all that was done before it began.
 */
export function syncShared(path: string): Promise<void> {
  const known = next.get(path);
  if (known !== undefined) return known;
  const begin = (): Promise<void> => {
    next.delete(path);
    const sync = syncDirectory(path).finally(() => {
      if (running.get(path) === sync) running.delete(path);
    });
    running.set(path, sync);
    return sync;
  };
  // Whoever waits for the one that runs hears of its failure; the next one is tried all the same.
  const mine = (running.get(path) ?? Promise.resolve()).then(begin, begin);
  next.set(path, mine);
  return mine;
}

/**
 * Sets an exact mode. Where the file system refuses (NFSv4 with ACLs, root_squash), the mode it has is accepted
 * unless it opens the file to the world against the mode asked for.
 * @param current mode that it has now, other bits of `st_mode` beside it
 */
export async function setExactMode(current: number, chmod: (mode: number) => Promise<void>, mode: number): Promise<void> {
  const before = current & modeBits;
  if (before === mode) return;
  try {
    await chmod(mode);
  } catch (error) {
    const opensToWorld = (before & worldBits & ~mode) !== 0;
    if (opensToWorld || !modeRefused.has(systemCode(error) ?? "")) throw error;
  }
}

/** Makes sure of a directory with an exact mode; its parent must exist, and is not synced. */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    // It may have been made by a service that was killed before it set the mode.
    if (systemCode(error) !== "EEXIST") throw error;
  }
  await setExactMode((await stat(path)).mode, (bits) => chmod(path, bits), mode);
}
