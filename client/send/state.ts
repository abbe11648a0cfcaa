/** What the client remembers of an upload between two runs: one small file each, below $XDG_STATE_HOME/slipway. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseObject } from "./answer.ts";
import { type Identity, parseIdentity } from "./local-file.ts";
import type { Segment } from "./segments.ts";

/** A segment, and its upload at the site. */
export interface BegunSegment extends Segment {
  /** Address of the upload; null while there is none. */
  url: string | null;
  /** Whether the site has all of it. */
  done: boolean;
}

/** An upload that was begun. */
export interface Begun {
  readonly identity: Identity;
  /** Our name for the file that the segments are parts of; null when the one segment is the file. */
  readonly file: string | null;
  readonly segments: readonly BegunSegment[];
}

/** The user's home; the root folder for one who has none, as in a container. */
function home(): string {
  try {
    return homedir() || "/";
  } catch {
    return "/";
  }
}

/** Folder of the state files. @default ~/.local/state/slipway (XDG Base Directory Specification) */
export function stateFolder(): string {
  const base = process.env["XDG_STATE_HOME"];
  return join(base === undefined || !base.startsWith("/") ? join(home(), ".local", "state") : base, "slipway");
}

/** Bytes of a file from which its state outlasts a power cut: of smaller ones waiting for the disk may cost more than sending anew. */
export const FLUSHED_FROM = 8 * 1024 * 1024;

const isCount = (value: unknown): value is number => typeof value === "number" && value >= 0;

function readSegment(value: unknown): BegunSegment | undefined {
  const { start, length, url, done } = (value ?? {}) as Partial<BegunSegment>;
  if (!isCount(start) || !isCount(length) || typeof done !== "boolean") return undefined;
  return url === null || (typeof url === "string" && URL.canParse(url)) ? { start, length, url, done } : undefined;
}

/** What a state file says; `undefined` when it says nothing that can be used. */
export function parseBegun(text: string): Begun | undefined {
  const { identity: about, file, segments: list } = parseObject(text);
  const identity = parseIdentity(about);
  if (identity === undefined || !Array.isArray(list) || (file !== null && typeof file !== "string")) return undefined;
  const segments: BegunSegment[] = [];
  let end = 0;
  for (const value of list) {
    const segment = readSegment(value);
    if (segment?.start !== end) return undefined;
    end += segment.length;
    segments.push(segment);
  }
  return end === identity.size && (file !== null || segments.length === 1) ? { identity, file, segments } : undefined;
}

/** Path of the state of a local file and a site, without its ending. */
export function statePath(path: string, site: URL, folder: string = stateFolder()): string {
  return join(folder, createHash("sha256").update(`${site.origin}\n${path}`).digest("hex").slice(0, 32));
}

/** Of all uploads that have a state, its {@link statePath}. */
export async function statesIn(folder: string = stateFolder()): Promise<ReadonlySet<string>> {
  const names = await readdir(folder).catch(() => []);
  return new Set(names.flatMap((name) => (name.endsWith(".json") ? [join(folder, name.slice(0, -".json".length))] : [])));
}

/** The state file of one local file and one site. Whoever uses it holds its lock. */
export class UploadState {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();
  /** What is written next, and the write that will. */
  #next: { begun: Begun; readonly written: Promise<void> } | undefined;

  /** @param base see {@link statePath} */
  constructor(base: string) {
    this.#path = `${base}.json`;
  }

  /** What was begun; `undefined` when nothing was, or the file says nothing that can be used. */
  async read(): Promise<Begun | undefined> {
    return parseBegun(await readFile(this.#path, "utf8").catch(() => ""));
  }

  /**
   * Written beside and renamed, so that a kill leaves the state before or this one, and a power cut too where a file is
   * large. What comes while another is written is written at once, the last of it.
   */
  write(begun: Begun): Promise<void> {
    if (this.#next !== undefined) {
      this.#next.begun = begun;
      return this.#next.written;
    }
    const written = this.#writing.catch(() => undefined).then(() => this.#writeNext());
    this.#next = { begun, written };
    this.#writing = written;
    return written;
  }

  async #writeNext(): Promise<void> {
    const begun = this.#next?.begun;
    this.#next = undefined;
    await writeFile(`${this.#path}.new`, JSON.stringify(begun), { mode: 0o600, flush: begun !== undefined && begun.identity.size >= FLUSHED_FROM });
    await rename(`${this.#path}.new`, this.#path);
  }

  async forget(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await rm(this.#path, { force: true });
  }
}

/** Makes the folder of state files. */
export async function makeStateFolder(folder: string = stateFolder()): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}
