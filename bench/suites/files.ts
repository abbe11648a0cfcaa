import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Problem } from "../../scripts/core/problem.ts";
import { lastLines, run } from "../../scripts/core/run.ts";
import { type Receiving, type Sender, senders } from "../contestants/senders.ts";
import { plainFiles, retireFiles, settleDisk, storedFiles } from "../ground.ts";
import { cpuSeconds } from "../proc.ts";
import { Entry, type Outcome, runRounds } from "../rounds.ts";
import type { Session } from "../session.ts";

/** One folder sent. */
export interface FilesRun {
  readonly round: number;
  readonly seconds: number;
  /** Of the server's processes; 0 without a server. */
  readonly cpuSeconds: number;
}

export interface FilesResult extends Outcome<FilesRun> {
  readonly name: string;
}

export interface FilesReport {
  readonly suite: "files";
  readonly count: number;
  readonly bytesEach: number;
  readonly results: readonly FilesResult[];
}

const BYTES_EACH = 4096;
const FILES_IN_FOLDER = 100;
const PLAIN = "files without a server";

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** Writes the folder anew with other bytes, in place: new files each time would make the file system slow. @returns all digests, in order */
export async function writeFolder(folder: string, count: number): Promise<string[]> {
  const digests: string[] = [];
  for (let i = 0; i < count; i++) {
    const path = join(folder, `${Math.floor(i / FILES_IN_FOLDER)}`, `${i}.bin`);
    await mkdir(dirname(path), { recursive: true });
    const bytes = randomBytes(BYTES_EACH);
    digests.push(sha256(bytes));
    const file = await open(path, "w");
    await file.writeFile(bytes).finally(() => file.close());
  }
  return digests.sort();
}

/** @throws Problem when the files in the store that are not empty are not those that were sent, each once */
export async function compareFolder(store: string, expected: readonly string[]): Promise<void> {
  const digests: string[] = [];
  for (const path of await storedFiles(store)) {
    const bytes = await readFile(path);
    if (bytes.length === BYTES_EACH) digests.push(sha256(bytes));
  }
  digests.sort();
  if (digests.join() !== expected.join()) throw new Problem(`in the store: not what was sent, got ${digests.length} files, ${expected.length} were sent`);
}

async function measure(receiving: Receiving, name: string, folder: string, count: number, round: number): Promise<FilesRun> {
  const expected = await writeFolder(folder, count);
  const argv = await receiving.command(folder, round);
  await settleDisk();
  const pids = receiving.pids();
  const before = cpuSeconds(pids);
  const start = performance.now();
  const result = await run(argv);
  const seconds = (performance.now() - start) / 1000;
  const used = cpuSeconds(pids) - before;
  if (!result.ok) throw new Problem(`${name}: ended with ${result.exitCode ?? "a signal"}\n${lastLines(result)}`);
  await compareFolder(receiving.store, expected);
  await retireFiles(receiving.store);
  return { round, seconds, cpuSeconds: used };
}

async function enter(session: Session, sender: Sender, folder: string, count: number): Promise<Entry<FilesRun>> {
  let receiving: Receiving | undefined;
  const entry = new Entry<FilesRun>(
    session,
    sender.name,
    (round) => measure(receiving!, sender.name, folder, count, round),
    (one) => `${one.seconds.toFixed(2)} s, ${(count / one.seconds).toFixed(0)} files a second, server ${one.cpuSeconds.toFixed(2)} CPU s`,
  );
  await entry.attempt(async () => {
    receiving = await sender.start(session);
  });
  return entry;
}

/** A folder of small files, by each client to its server. */
export async function runFiles(session: Session): Promise<FilesReport> {
  const { options, ground } = session;
  const folder = join(ground.folder, "folder");
  const count = options.maxCount;
  await writeFolder(folder, count);

  const plain = async (round: number): Promise<FilesRun> => {
    const { store } = await ground.place("plain");
    return { round, seconds: await plainFiles(store, count, BYTES_EACH, join(folder, "0", "0.bin")), cpuSeconds: 0 };
  };
  const parts: { readonly name: string; readonly entry: Entry<FilesRun> }[] = [];
  for (const sender of senders.filter(({ name }) => options.only.test(name))) parts.push({ name: sender.name, entry: await enter(session, sender, folder, count) });
  if (options.only.test(PLAIN)) parts.push({ name: PLAIN, entry: new Entry(session, PLAIN, plain, (one) => `${one.seconds.toFixed(2)} s`) });
  await runRounds(session, parts.map(({ entry }) => entry));
  return { suite: "files", count, bytesEach: BYTES_EACH, results: parts.map(({ name, entry }) => ({ name, ...entry.outcome })) };
}
