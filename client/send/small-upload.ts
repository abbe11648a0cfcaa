/** A file that is small enough to be sent again whole: one request, which announces its digest. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { filedQuestion, findFiled } from "../../protocol/filed.ts";
import { parseObject, type SendResult } from "./answer.ts";
import { described, mustHave, resultOf } from "./filed.ts";
import { answerOf } from "./http.ts";
import { changed, identityOf, isSame, unreadable } from "./local-file.ts";
import { Patience } from "./retry.ts";
import type { SiteParts } from "./site-parts.ts";
import { type FileOptions, SendError, type Source } from "./source.ts";
import { type NewUpload, Refused, type Standing, Tus } from "./tus.ts";

/** Bytes up to which a file goes in one request. */
export const SMALL = 512 * 1024;

/** Sends one small file. @throws what ended it */
export async function uploadSmall(site: SiteParts, source: Source, options: Omit<FileOptions, "streams">): Promise<SendResult> {
  const start = performance.now();
  const signal = options.signal ?? new AbortController().signal;
  const body = await readWhole(source);
  const sha256 = createHash("sha256").update(body).digest("hex");
  mustHave(options.sha256, sha256);
  const upload: NewUpload = { length: body.length, metadata: described(source.name, options), partial: false, sha256 };
  const tus = new Tus(site.http, site.url, signal);
  let isSent = false;
  const standing = await new Patience(signal).run(async () => {
    // The answer that was lost may have said that it is filed.
    const filed = isSent || options.mayBeThere === true ? await inList(site, source, sha256, signal) : undefined;
    if (filed !== undefined) return filed;
    isSent = true;
    return body.length === 0 ? tus.standing(await tus.create(upload)) : tus.createWhole(upload, body);
  });
  options.onProgress?.(body.length);
  return resultOf(standing, source.name, { size: body.length, resumed: isSent ? 0 : body.length, sha256, ms: performance.now() - start });
}

/** Reads a file, which nobody may change meanwhile, with as few calls as it takes: small files are many. */
export async function readWhole({ path, size }: Source): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const before = identityOf(await file.stat());
      const bytes = Buffer.allocUnsafe(size);
      const { bytesRead } = await file.read(bytes, 0, size, 0);
      if (before.size !== size || bytesRead !== size || !isSame(before, identityOf(await file.stat()))) throw changed();
      return bytes;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof SendError ? error : unreadable(error);
  }
}

/** A record of this file in the site's list. */
async function inList(site: SiteParts, source: Source, sha256: string, signal: AbortSignal): Promise<Standing | undefined> {
  const file = { path: source.name, size: source.size, sha256 };
  const request = site.http.open("GET", new URL(filedQuestion(file), site.url), {}, signal);
  request.end();
  const answer = await answerOf(request);
  if (answer.status >= 500) throw new Refused(answer);
  const record = findFiled(parseObject(answer.body), file);
  return record === undefined ? undefined : { offset: source.size, sha256, record };
}
