/** Which files of a run have arrived, and which were under way, so that the same command goes on with the others after a kill. */
import { createHash } from "node:crypto";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { finished } from "node:stream/promises";
import type { Arrived } from "./run.ts";
import type { PlannedFile } from "./plan.ts";
import { parseObject } from "./send/answer.ts";
import { identify, isSame, parseIdentity, type Identity } from "./send/local-file.ts";

/** Files that go in one form, or one that goes by itself. */
export interface Form {
  /** By it the site knows a form. */
  readonly key: string;
  readonly files: readonly PlannedFile[];
  /** Whether an earlier run may have sent it. */
  readonly lost: boolean;
}

/** A line of the journal, for files that are about to go. */
interface Begun {
  readonly form: string;
  readonly files: readonly Noted[];
}

/** A file as it was when it was about to go. */
interface Noted extends Identity {
  readonly path: string;
}

/** A line of the journal, for a file that has arrived. */
interface Entry extends Noted {
  /** Hex. */
  readonly sha256: string;
}

/** Files whose identity is asked for together. */
const AT_ONCE = 64;

function parseNoted(value: unknown): Noted | undefined {
  const { path } = (value ?? {}) as { readonly path?: unknown };
  const identity = parseIdentity(value);
  return typeof path === "string" && identity !== undefined ? { path, ...identity } : undefined;
}

type Line = ReturnType<typeof parseObject>;

function parseEntry(line: Line): Entry | undefined {
  const { sha256 } = line;
  const noted = parseNoted(line);
  return typeof sha256 === "string" && noted !== undefined ? { sha256, ...noted } : undefined;
}

function parseBegun({ form, files }: Line): Begun | undefined {
  if (typeof form !== "string" || !Array.isArray(files)) return undefined;
  const noted = files.flatMap((file) => parseNoted(file) ?? []);
  return noted.length === files.length ? { form, files: noted } : undefined;
}

/**
 * The journal of one command: the site and the paths that were given. What it cannot write or read costs only that
 * files are sent again, so no failure of it fails the run.
 */
export class Journal {
  readonly #folder: string;
  readonly #path: string;
  #stream: WriteStream | undefined;
  /** What earlier runs began, the oldest first. */
  #begun: readonly Begun[] = [];

  constructor(stateFolder: string, site: URL, args: readonly string[], from: string) {
    this.#folder = stateFolder;
    const command = [site.href, ...args.map((argument) => resolve(from, argument) + (argument.endsWith("/") ? "/" : ""))];
    this.#path = join(stateFolder, `${createHash("sha256").update(JSON.stringify(command)).digest("hex").slice(0, 32)}.arrived`);
  }

  /** Parts files into those that arrived in an earlier run, and are still the same, and those that are to be sent. */
  async divide(files: readonly PlannedFile[]): Promise<{ readonly before: readonly Arrived[]; readonly open: readonly PlannedFile[] }> {
    const text = await readFile(this.#path, "utf8").catch(() => "");
    if (text === "") return { before: [], open: files };
    const lines = text.split("\n").map(parseObject);
    const entries = new Map(lines.flatMap((line) => parseEntry(line) ?? []).map((entry) => [entry.path, entry]));
    this.#begun = lines.flatMap((line) => parseBegun(line) ?? []);
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
    return (await this.#asNoted(file, entry)) === undefined ? undefined : entry;
  }

  /**
   * What is left of the forms that an earlier run began without hearing what became of all of their files. Under the same
   * keys they can go again: the site files nothing of them twice.
   * @param files those that are to be sent; one that has changed belongs to its form no more
   */
  async lostForms(files: readonly PlannedFile[]): Promise<readonly Form[]> {
    if (this.#begun.length === 0) return [];
    const open = new Map(files.map((file) => [file.path, file]));
    const forms: Form[] = [];
    // The newest first: a file whose form was refused went in another.
    for (const { form: key, files: noted } of this.#begun.slice().reverse()) {
      const some = await Promise.all(noted.map((one) => this.#asNoted(open.get(one.path), one)));
      const same = some.filter((file) => file !== undefined);
      if (same.length === 0) continue;
      forms.push({ key, files: same, lost: true });
      for (const { path } of same) open.delete(path);
    }
    return forms;
  }

  async #asNoted(file: PlannedFile | undefined, noted: Noted): Promise<PlannedFile | undefined> {
    const now = file === undefined ? undefined : await identify(file).catch(() => undefined);
    return now !== undefined && isSame(now, noted) ? file : undefined;
  }

  /** Notes files before they go; settles when that survives a kill of this process. @param identities of its files; without one of them it is not noted */
  async begin({ key, files }: Form, identities: readonly (Identity | undefined)[]): Promise<void> {
    const noted = files.flatMap(({ path }, index) => {
      const identity = identities[index];
      return identity === undefined ? [] : [{ path, ...identity }];
    });
    if (noted.length === files.length) await this.#write([{ form: key, files: noted }]);
  }

  /** Notes files that have arrived, those of one form together. @param identity as it was before the file was sent */
  async add(arrived: readonly { readonly file: PlannedFile; readonly identity: Identity; readonly sha256: string }[]): Promise<void> {
    await this.#write(arrived.map(({ file, identity, sha256 }) => ({ path: file.path, sha256, ...identity })));
  }

  async #write(lines: readonly (Entry | Begun)[]): Promise<void> {
    if (lines.length === 0) return;
    if (this.#stream === undefined) {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 }).catch(() => undefined);
      this.#stream ??= createWriteStream(this.#path, { flags: "a", mode: 0o600 }).on("error", () => undefined);
    }
    const stream = this.#stream;
    await new Promise<void>((resolve) => void stream.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), () => resolve()));
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
