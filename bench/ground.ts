import { spawn } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Problem } from "../scripts/core/problem.ts";
import { lastLines, run } from "../scripts/core/run.ts";
import type { Cleanup } from "./cleanup.ts";
import type { Place } from "./contestant.ts";
import { compile } from "./programs.ts";

const BLOCK = 4 * 1024 * 1024;

/** Where the benchmark runs: a temporary folder on the file system that is measured. */
export interface Ground {
  readonly folder: string;
  /** Makes a folder with an empty store. */
  place(name: string): Promise<Place>;
}

/** Makes the temporary folder with a certificate; `cleanup` removes it. @throws Problem when the folder cannot be made */
export async function makeGround(dir: string, cleanup: Cleanup): Promise<Ground> {
  const folder = await mkdtemp(join(dir, "slipway-bench-")).catch((error: Error) => {
    throw new Problem(`bench --dir: no folder can be made there, got "${dir}"; name one that you may write to (${error.message})`);
  });
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  const made = await run([
    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256", "-days", "2",
    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate,
  ]);
  if (!made.ok) throw new Problem(`bench: openssl made no certificate\n${lastLines(made)}`);
  let places = 0;
  return {
    folder,
    async place(name) {
      const own = join(folder, `${places++}-${name.replace(/[^A-Za-z0-9]+/g, "-")}`);
      const [store, state] = [join(own, "store"), join(own, "state")];
      for (const one of [store, state]) await mkdir(one, { recursive: true });
      return { folder: own, store, state, certificate, key };
    },
  };
}

/**
 * Holds all free memory but `leaveMib`, see hold.c; `cleanup` gives it back.
 * @returns what the holder says
 * @throws Problem when there is too little memory for it
 */
export async function holdMemory(leaveMib: number, cleanup: Cleanup): Promise<string> {
  const child = spawn(await compile("hold"), [`${leaveMib}`], { stdio: ["ignore", "pipe", "pipe"] });
  cleanup.add(() => void child.kill("SIGKILL"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.stdout.once("data", (data: Buffer) => resolve(data.toString().trim()));
    child.once("exit", () => reject(new Problem(`bench --leave: the free memory cannot be held, ${String(child.stderr.read() ?? "").trim()}; use --no-hold for a first look`)));
  });
}

function* randomBlocks(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= BLOCK) yield randomFillSync(Buffer.allocUnsafe(Math.min(BLOCK, left)));
}

/** Writes random bytes to a file and the file to the disk; it stays in the page cache. */
export async function writeRandom(file: string, bytes: number): Promise<void> {
  await pipeline(Readable.from(randomBlocks(bytes)), createWriteStream(file, { flush: true }));
}

/** A file of zeros that takes no room on the disk. */
export async function writeSparse(file: string, bytes: number): Promise<void> {
  await writeFile(file, "");
  await truncate(file, bytes);
}

/** Writes to the disk what waits for it, so that it is not measured with what comes next. */
export async function settleDisk(): Promise<void> {
  await run(["sync"]);
}

/** Reads a file into the page cache. */
export async function warm(file: string): Promise<void> {
  for await (const _ of createReadStream(file, { highWaterMark: BLOCK }));
}

/** Endings of the notes that @tus/file-store and tusd keep beside each file. */
const NOTES = [".json", ".info"];

/** Every file below a folder, without what others note beside it. */
export async function storedFiles(store: string): Promise<string[]> {
  const entries = await readdir(store, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && !NOTES.includes(extname(entry.name))).map((entry) => join(entry.parentPath, entry.name));
}

/**
 * Gives the room of stored files back and keeps the files, empty, until the end: for a minute after many files have
 * been removed, ext4 looks over each of them whenever one is made, which takes ten times as long.
 */
export async function retireFiles(store: string): Promise<void> {
  for (const file of await storedFiles(store)) await truncate(file, 0);
}

/** Writes so many files of such a size without any server. @returns the seconds that it took */
export async function plainFiles(store: string, count: number, bytes: number, input: string): Promise<number> {
  await settleDisk();
  const result = await run([await compile("files"), store, `${count}`, `${bytes}`, input]);
  if (!result.ok) throw new Problem(`files: ${lastLines(result, 1)}`);
  await retireFiles(store);
  return Number(result.stdout);
}

/** Removes what is in a store. */
export async function emptyStore(store: string): Promise<void> {
  for (const name of await readdir(store)) await rm(join(store, name), { recursive: true });
}

const SMALL = 1024 * 1024;

/** Whether bytes of two files are the same. @throws Problem when that cannot be told: cmp was ended, or could not read */
async function areSame(bytes: number, skip: number, input: string, file: string): Promise<boolean> {
  const result = await run(["cmp", "-n", `${bytes}`, "-i", `0:${skip}`, input, file]);
  if (!result.ok && result.exitCode !== 1) throw new Problem(`cmp: ended with ${result.exitCode ?? "a signal"}, "${file}" was not compared`);
  return result.ok;
}

/** Whether a stored file is the input, again and again up to its size. */
async function isCopy(file: string, input: string, period: number, size: number): Promise<boolean> {
  if (size <= SMALL && size <= period) {
    const head = Buffer.alloc(size);
    const source = await open(input);
    await source.read(head, 0, size, 0).finally(() => source.close());
    return head.equals(await readFile(file));
  }
  for (let at = 0; at < size; at += period) {
    if (!(await areSame(Math.min(period, size - at), at, input, file))) return false;
  }
  return true;
}

/** The files of a store. @throws Problem when there are not `count` of them */
async function asMany(store: string, count: number): Promise<readonly string[]> {
  const files = await storedFiles(store);
  if (files.length !== count) throw new Problem(`in the store: not what was sent, got ${files.length} files, ${count} ${count === 1 ? "was" : "were"} sent`);
  return files;
}

/**
 * Compares every stored file byte for byte with what was sent: the first bytes of the input, which is sent again from
 * its start where it is shorter.
 * @throws Problem when one differs, is longer or shorter, or there are not `count` of them
 */
export async function compareStored(store: string, input: string, bytes: number, count = 1): Promise<void> {
  const files = await asMany(store, count);
  const { size: period } = await stat(input);
  for (const file of files) {
    const { size } = await stat(file);
    if (size !== bytes) throw new Problem(`in the store: not what was sent, got a file of ${size} bytes, ${bytes} were sent`);
    if (!(await isCopy(file, input, period, size))) throw new Problem(`in the store: not what was sent, got a file with other bytes ("${file}")`);
  }
}

/**
 * Compares the only stored file, the body of a form with one file (RFC 7578) as it came, byte for byte with that file.
 * @throws Problem when it is another
 */
export async function compareForm(store: string, input: string): Promise<void> {
  const [file = ""] = await asMany(store, 1);
  const { size } = await stat(input);
  const body = await open(file);
  const head = Buffer.alloc(1024);
  const tail = Buffer.alloc(1024);
  try {
    await body.read(head, 0, head.length, 0);
    const start = head.indexOf("\r\n\r\n") + 4;
    const { bytesRead } = await body.read(tail, 0, tail.length, start + size);
    const isClosed = tail.toString("latin1", 0, bytesRead) === `\r\n${head.toString("latin1", 0, head.indexOf("\r\n"))}--\r\n`;
    if (!isClosed || !(await areSame(size, start, input, file))) throw new Problem(`in the store: not what was sent, got a form with other bytes ("${file}")`);
  } finally {
    await body.close();
  }
}
