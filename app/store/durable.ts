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

/** Something whose mode can be set: a path, or an open file. */
interface Moded {
  readonly stat: () => Promise<{ readonly mode: number }>;
  readonly chmod: (mode: number) => Promise<void>;
}

/**
 * Sets an exact mode. Where the file system refuses (NFSv4 with ACLs, root_squash), the mode it has is accepted
 * unless it opens the file to the world against the mode asked for.
 */
export async function setExactMode(target: Moded, mode: number): Promise<void> {
  const before = (await target.stat()).mode & modeBits;
  if (before === mode) return;
  try {
    await target.chmod(mode);
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
  await setExactMode({ stat: () => stat(path), chmod: (bits) => chmod(path, bits) }, mode);
}
