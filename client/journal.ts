/** Which files of a run have arrived, so that the same command goes on with the others after a kill. */
import { createHash } from "node:crypto";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { finished } from "node:stream/promises";
import type { Arrived } from "./run.ts";
import type { PlannedFile } from "./plan.ts";
import { parseObject } from "./send/answer.ts";
import { identify, isSame, parseIdentity, type Identity } from "./send/local-file.ts";

/** A line of the journal. */
interface Entry extends Identity {
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
}

/** Files whose identity is asked for together. */
const AT_ONCE = 64;

function parseEntry(line: string): Entry | undefined {
  const entry = parseObject(line);
  const { path, sha256 } = entry;
  const identity = parseIdentity(entry);
  return typeof path === "string" && typeof sha256 === "string" && identity !== undefined ? { path, sha256, ...identity } : undefined;
}

/**
 * The journal of one command: the site and the paths that were given. What it cannot write or read costs only that
 * files are sent again, so no failure of it fails the run.
 */
export class Journal {
  readonly #folder: string;
  readonly #path: string;
  #stream: WriteStream | undefined;

  constructor(stateFolder: string, site: URL, args: readonly string[], from: string) {
    this.#folder = stateFolder;
    const command = [site.href, ...args.map((argument) => resolve(from, argument) + (argument.endsWith("/") ? "/" : ""))];
    this.#path = join(stateFolder, `${createHash("sha256").update(JSON.stringify(command)).digest("hex").slice(0, 32)}.arrived`);
  }

  /** Parts files into those that arrived in an earlier run, and are still the same, and those that are to be sent. */
  async divide(files: readonly PlannedFile[]): Promise<{ readonly before: readonly Arrived[]; readonly open: readonly PlannedFile[] }> {
    const text = await readFile(this.#path, "utf8").catch(() => "");
    if (text === "") return { before: [], open: files };
    const entries = new Map(text.split("\n").flatMap((line) => parseEntry(line) ?? []).map((entry) => [entry.path, entry]));
    const before: Arrived[] = [];
    const open: PlannedFile[] = [];
    for (let at = 0; at < files.length; at += AT_ONCE) {
      const some = files.slice(at, at + AT_ONCE);
      const known = await Promise.all(some.map(async (file) => this.#isKnown(file, entries.get(file.path))));
      for (const [index, file] of some.entries()) {
        const entry = known[index];
        if (entry === undefined) open.push(file);
        else before.push({ path: file.argument, sha256: entry.sha256, size: entry.size });
      }
    }
    return { before, open };
  }

  async #isKnown(file: PlannedFile, entry: Entry | undefined): Promise<Entry | undefined> {
    // With a digest that is to be checked, one that differs is sent, so that the site says so.
    if (entry === undefined || (file.sha256 ?? entry.sha256) !== entry.sha256) return undefined;
    const now = await identify(file).catch(() => undefined);
    return now !== undefined && isSame(now, entry) ? entry : undefined;
  }

  /** @param identity as it was before the file was sent */
  async add(file: PlannedFile, identity: Identity, sha256: string): Promise<void> {
    if (this.#stream === undefined) {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 }).catch(() => undefined);
      this.#stream ??= createWriteStream(this.#path, { flags: "a", mode: 0o600 }).on("error", () => undefined);
    }
    this.#stream.write(`${JSON.stringify({ path: file.path, sha256, ...identity } satisfies Entry)}\n`);
  }

  /** @param forget whether every file has arrived: the same command then begins anew */
  async close(forget: boolean): Promise<void> {
    const stream = this.#stream;
    if (stream !== undefined) {
      stream.end();
      await finished(stream).catch(() => undefined);
    }
    if (forget) await rm(this.#path, { force: true }).catch(() => undefined);
  }
}
