/** A lock that says who holds it, so that two pushes do not send one file to one site. */
import { readFileSync } from "node:fs";
import { link, readFile, rename, rm, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { failure, parseObject } from "./answer.ts";
import { SendError } from "./source.ts";

/** Between two signs of life, and after which silence a holder on another machine counts as gone. */
const BEAT_MS = 20_000;
const SILENCE_MS = 120_000;

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, so that another one with its number is not taken for it; empty where that is not known. */
  readonly began: string;
}

/** Clock ticks since the boot at which a process began (proc(5), field 22 of /proc/pid/stat); empty without /proc. */
function beginning(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function isAlive({ pid, began }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Of another user, but there.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return began === "" || beginning(pid) === began;
}

/** Whoever holds the lock at a path; `undefined` when nobody does, or nobody that still runs. */
async function holderOf(path: string, text: string): Promise<Holder | undefined> {
  const { pid, host, began } = parseObject(text);
  if (typeof pid !== "number" || typeof host !== "string" || typeof began !== "string") return undefined;
  const holder = { pid, host, began };
  if (host === hostname()) return isAlive(holder) ? holder : undefined;
  const age = Date.now() - (await stat(path).then(({ mtimeMs }) => mtimeMs, () => 0));
  return age < SILENCE_MS ? holder : undefined;
}

/** Takes away a lock that nobody holds any more; leaves one that somebody has taken meanwhile. */
async function breakLock(path: string, stale: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) !== stale) await link(aside, path);
    await unlink(aside);
  } catch (error) {
    if (!["ENOENT", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** Locks of this process: one process may be asked to send the same file twice at once. */
const own = new Set<string>();

/**
 * Takes the lock at a path.
 * @returns what frees it
 * @throws {SendError} when another push holds it
 */
export async function takeLock(path: string): Promise<() => Promise<void>> {
  const me: Holder = { pid: process.pid, host: hostname(), began: beginning(process.pid) };
  const held = ({ pid, host }: Holder): SendError =>
    new SendError(failure("local", "locked", null, `is being sent to this site by another push (process ${pid} on ${host})`, "wait for that one to end, or stop it"));
  if (own.has(path)) throw held(me);
  own.add(path);
  try {
    await acquire(path, me, held);
  } catch (error) {
    own.delete(path);
    throw error;
  }
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), BEAT_MS);
  beat.unref();
  return async () => {
    clearInterval(beat);
    await rm(path, { force: true });
    own.delete(path);
  };
}

async function acquire(path: string, me: Holder, held: (holder: Holder) => Error): Promise<void> {
  // Linked from a file that is whole: nobody ever reads a lock without its holder.
  const beside = `${path}.${process.pid}.new`;
  await writeFile(beside, JSON.stringify(me), { mode: 0o600 });
  try {
    await linkOrRefuse(path, beside, me, held);
  } finally {
    await rm(beside, { force: true });
  }
}

async function linkOrRefuse(path: string, beside: string, me: Holder, held: (holder: Holder) => Error): Promise<void> {
  for (;;) {
    try {
      return await link(beside, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const text = await readFile(path, "utf8").catch(() => "");
    const holder = await holderOf(path, text);
    if (holder !== undefined && !(holder.pid === me.pid && holder.host === me.host)) throw held(holder);
    await breakLock(path, text);
  }
}
