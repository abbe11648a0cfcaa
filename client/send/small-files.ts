/** Many small files in one form: what a request costs both ends is paid once for all of them. */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { reprDigest } from "../../protocol/checksum.ts";
import { filesDigestHeader, filesDigestText } from "../../protocol/form-files.ts";
import { failure, judgeRecord, parseObject, type SendResult } from "./answer.ts";
import { exchange } from "./exchange.ts";
import { mustHave } from "./filed.ts";
import type { Answer } from "./http.ts";
import { wholeForm, type WholeForm } from "./multipart.ts";
import { Patience } from "./retry.ts";
import type { SiteParts } from "./site-parts.ts";
import { readWhole } from "./small-upload.ts";
import { SendError, type SmallFile, type TogetherOptions } from "./source.ts";
import { Refused } from "./tus.ts";

/** Silence after which a connection counts as dead: the site answers when the last of the files is on its disk. */
const SILENCE_MS = 120_000;

/** A file that was read. */
interface Read {
  readonly file: SmallFile;
  readonly bytes: Buffer;
  /** Hex. */
  readonly sha256: string;
}

/** Whether a name goes through a form as it is: browsers and servers do not agree on how these are written in one. */
export const isFormName = (name: string): boolean => !/["\\\p{Cc}]/u.test(name);

/**
 * Sends small files, whose names are {@link isFormName}, in one form.
 * @returns the result of each, in their order; nothing when the site refuses the form
 * @throws what ended all of them
 */
export async function uploadTogether(site: SiteParts, files: readonly SmallFile[], options: TogetherOptions): Promise<readonly SendResult[] | undefined> {
  const start = performance.now();
  const read = await Promise.all(files.map(readFile));
  const good = read.filter((one) => "bytes" in one);
  const records = good.length === 0 ? [] : await recordsOf(site, good, options);
  if (records === undefined) return undefined;
  const ms = performance.now() - start;
  let next = 0;
  return read.map((one) => ("bytes" in one ? judgeRecord(records[next++], { size: one.bytes.length, sha256: one.sha256, ms }) : one));
}

/** A file that cannot be sent leaves the others to go. */
async function readFile(file: SmallFile): Promise<Read | Extract<SendResult, { ok: false }>> {
  try {
    const bytes = await readWhole(file);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    mustHave(file.sha256, sha256);
    return { file, bytes, sha256 };
  } catch (error) {
    if (error instanceof SendError) return error.failure;
    throw error;
  }
}

/** What the site says of each file; nothing when it refuses the form. */
async function recordsOf(site: SiteParts, read: readonly Read[], options: TogetherOptions): Promise<readonly unknown[] | undefined> {
  const signal = options.signal ?? new AbortController().signal;
  const form = wholeForm(
    [["terminal", "yes"], ...(options.description === undefined ? [] : [["description", options.description] as const]), ...read.map(({ file }) => ["relativePath", file.name] as const)],
    "file",
    read.map(({ file, bytes }) => ({ name: posix.basename(file.name), bytes })),
  );
  const sha256 = createHash("sha256").update(filesDigestText(read)).digest("hex");
  const headers = {
    // By it the site knows the form again whose answer was lost.
    "Idempotency-Key": `"${options.key}"`,
    [filesDigestHeader]: reprDigest({ sha256 }),
  };
  try {
    const answer = await new Patience(signal).run(() => post(site, form, headers, signal));
    const { uploads } = parseObject(answer.body);
    if (Array.isArray(uploads) && uploads.length === read.length) return uploads as readonly unknown[];
    throw new SendError(failure("server", "bad_answer", 200, "the site answered 200, but not with the records of the files", "look at the site's list; send what is not there again"));
  } catch (error) {
    if (error instanceof Refused && error.answer.status < 500) return undefined;
    throw error;
  }
}

/** @throws {Refused} */
async function post({ http, url }: SiteParts, form: WholeForm, more: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Promise<Answer> {
  const request = http.open("POST", url, { "Content-Type": form.contentType, "Content-Length": form.body.length, ...more }, signal);
  const answer = await exchange(request, SILENCE_MS, async () => {
    await http.write(request, form.body, signal);
    request.end();
  });
  if (answer.status !== 200) throw new Refused(answer);
  return answer;
}
