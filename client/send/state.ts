/** What the client remembers of an upload between two runs: one small file each, below $XDG_STATE_HOME/slipway. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseObject } from "./answer.ts";

/** What tells whether a local file is still the one that was begun. */
export interface Identity {
  /** Bytes. */
  readonly size: number;
  /** Milliseconds. */
  readonly mtime: number;
  readonly device: number;
  readonly inode: number;
}

/** An upload that was begun. */
export interface Begun extends Identity {
  /** Address of the upload at the site. */
  readonly url: string;
}

/** Folder of the state files. @default ~/.local/state/slipway (XDG Base Directory Specification) */
export function stateFolder(): string {
  const base = process.env["XDG_STATE_HOME"];
  return join(base === undefined || !base.startsWith("/") ? join(homedir(), ".local", "state") : base, "slipway");
}

/** The identity of the file at a path now. @throws when it cannot be looked at */
export async function identify(path: string): Promise<Identity> {
  const { size, mtimeMs, dev, ino } = await stat(path);
  return { size, mtime: mtimeMs, device: dev, inode: ino };
}

export const isSame = (a: Identity, b: Identity): boolean => a.size === b.size && a.mtime === b.mtime && a.device === b.device && a.inode === b.inode;

/** The state file of one local file and one site. */
export class UploadState {
  readonly #folder: string;
  readonly #path: string;

  constructor(path: string, site: URL, folder: string = stateFolder()) {
    this.#folder = folder;
    this.#path = join(folder, `${createHash("sha256").update(`${site.origin}\n${path}`).digest("hex").slice(0, 32)}.json`);
  }

  /** What was begun; `undefined` when nothing was, or the file says nothing that can be used. */
  async read(): Promise<Begun | undefined> {
    const text = await readFile(this.#path, "utf8").catch(() => "");
    const { url, size, mtime, device, inode } = parseObject(text);
    if (typeof url !== "string" || !URL.canParse(url)) return undefined;
    if (typeof size !== "number" || typeof mtime !== "number" || typeof device !== "number" || typeof inode !== "number") return undefined;
    return { url, size, mtime, device, inode };
  }

  /** Written beside and renamed, so that a kill leaves the state before or this one. */
  async write(begun: Begun): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const beside = `${this.#path}.${process.pid}`;
    await writeFile(beside, JSON.stringify(begun), { mode: 0o600 });
    await rename(beside, this.#path);
  }

  async forget(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
