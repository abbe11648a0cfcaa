/**
 * One file as a form. A small one is sent again after its connection broke, for which a network that comes or goes is
 * enough; but as the form may have been filed and only its answer lost, the site's list is asked before.
 */
import { filedQuestion, findFiled, sinceByDate, type FiledRow, type SentFile } from "../../protocol/filed.ts";
import { problemOfBreakdown, type Breakdown } from "./outcome.ts";
import { pathOf, send, type Sending, type SendOptions } from "./send.ts";

/** Most times that a form goes out, or the list is asked in vain, before it is for a person to say what to do. */
const TRIES = 4;

/** Wait after the first break, ms; it doubles, and half of it is random so that many files do not come at once. */
const FIRST_WAIT_MS = 1000;

/** The list has so long to answer, ms. */
const ASK_MS = 10_000;

/** What earlier tries of a file have left open. */
export interface Doubt {
  /** When the first form went out whose answer never came, by `performance.now()`; null when all is known. */
  since: number | null;
}

export interface FormOptions extends SendOptions {
  /** Whether a broken form may go out again by itself: the file is small, and the site's list knows its SHA-256. */
  readonly isRepeatable: boolean;
  /** SHA-256 of this device's own file; null when it could not be had. */
  readonly digest: Promise<string | null>;
  readonly doubt: Doubt;
}

/** @throws when the list cannot be asked */
async function ask(file: SentFile, since: number): Promise<FiledRow | undefined> {
  const answer = await fetch(filedQuestion(file), { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(ASK_MS) });
  if (!answer.ok) throw new Error(`the list answers ${answer.status}`);
  return findFiled(await answer.json(), file, sinceByDate(answer.headers.get("Date"), performance.now() - since));
}

/** Starts the upload of a file. */
export function sendForm(file: File, options: FormOptions): Sending {
  const { doubt, isRepeatable, digest } = options;
  let current: Sending | null = null;
  let isAborted = false;
  let failures = 0;
  let last: Breakdown = { isOnline: true, isReadable: true, loaded: 0, total: file.size, isSent: false };

  const giveUp = (): void => options.onOutcome({ kind: "fail", problem: problemOfBreakdown(last) });
  const failed = (): void => {
    failures += 1;
    if (!isRepeatable || !last.isReadable || failures >= TRIES) return giveUp();
    const wait = FIRST_WAIT_MS * 2 ** (failures - 1);
    setTimeout(() => void again(), wait / 2 + (wait / 2) * Math.random());
  };
  const attempt = (): void => {
    const begun = performance.now();
    const onBroken = (breakdown: Breakdown): void => {
      doubt.since ??= begun;
      last = breakdown;
      failed();
    };
    const onOutcome: SendOptions["onOutcome"] = (outcome) => {
      doubt.since = null;
      options.onOutcome(outcome);
    };
    current = send(file, { ...options, onOutcome }, onBroken);
  };
  const again = async (): Promise<void> => {
    const [sha256, since] = [await digest, doubt.since];
    if (isAborted) return;
    if (sha256 === null || since === null) {
      // What cannot be looked for goes out again only when a person says so, who is told to look.
      doubt.since = null;
      return giveUp();
    }
    const row = await ask({ path: pathOf(file, options.folder), size: file.size, sha256 }, since).catch(() => null);
    if (isAborted) return;
    if (row === null) return failed();
    if (row === undefined) return attempt();
    doubt.since = null;
    options.onOutcome({ kind: "done", result: { id: row.id, name: row.name, size: row.size, checksums: row.checksums } });
  };
  if (isRepeatable && doubt.since !== null) void again();
  else attempt();
  return {
    abort() {
      isAborted = true;
      current?.abort();
    },
  };
}
