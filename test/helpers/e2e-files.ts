import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, lstatSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { execa } from "execa";

/** A folder of a test's own; the caller removes it. */
export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), "slipway-e2e-"));

/** Removes a folder with all it holds. */
export const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** Free bytes for us on the file system of a folder. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/**
 * Writes a file that no file system can shrink: AES-CTR over zeros, at the speed of the disk.
 * @param size bytes, a multiple of 1 MiB
 * @returns its SHA-256, 64 hex digits
 */
export async function writeRandomFile(path: string, size: number): Promise<string> {
  const script = 'set -o pipefail; dd if=/dev/zero bs=1M count="$1" status=none | openssl enc -aes-128-ctr -nosalt -pass pass:"$2" -pbkdf2 | tee "$3" | sha256sum';
  const { stdout } = await execa("bash", ["-c", script, "bash", String(size / 1024 / 1024), path, path]);
  return stdout.slice(0, 64);
}

/** SHA-256 of a file, hashed where it lies; 64 hex digits. */
export async function sha256OfFile(path: string): Promise<string> {
  const { stdout } = await execa("sha256sum", ["--", path]);
  return stdout.replace(/^\\/, "").slice(0, 64);
}

export const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");
export const md5 = (bytes: Buffer | string): string => createHash("md5").update(bytes).digest("hex");

/** An entry of a tree: its path below the root, and owner and mode as the tests compare them. */
export interface Entry {
  readonly path: string;
  readonly kind: "directory" | "file" | "other";
  /** `uid:gid` */
  readonly owner: string;
  /** Four octal digits. */
  readonly mode: string;
  /** Bytes. */
  readonly size: number;
}

/** Everything below a folder, the folder itself included (as `.`), sorted by path; symbolic links are not followed. */
export function tree(root: string): Entry[] {
  const entries: Entry[] = [];
  const visit = (path: string): void => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return; // it has gone since its folder was read
    entries.push({
      path: relative(root, path) || ".",
      kind: stat.isDirectory() ? "directory" : stat.isFile() ? "file" : "other",
      owner: `${stat.uid}:${stat.gid}`,
      mode: (stat.mode & 0o7777).toString(8).padStart(4, "0"),
      size: stat.size,
    });
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  };
  visit(root);
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Paths of the files (and anything but directories) below a folder. */
export const filesBelow = (root: string): string[] => tree(root).filter(({ kind }) => kind !== "directory").map(({ path }) => path);

/** Entries whose owner or mode is not the one that a site of the default modes must have. */
export function wrongModes(root: string, owner: string, directoryMode = "2770", fileMode = "0660"): string[] {
  return tree(root)
    .filter((entry) => entry.owner !== owner || entry.kind === "other" || entry.mode !== (entry.kind === "directory" ? directoryMode : fileMode))
    .map((entry) => `${entry.path}: ${entry.kind} ${entry.owner} ${entry.mode}`);
}
