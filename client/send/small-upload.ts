/** A file that is small enough to be sent again whole: one request, which announces its digest. */
import { createHash } from "node:crypto";
import { corrupt, failure, parseObject, type SendResult } from "./answer.ts";
import type { SiteParts } from "./file-upload.ts";
import { answerOf } from "./http.ts";
import { bytesOf, identify, mustBe } from "./local-file.ts";
import { Patience } from "./retry.ts";
import { SendError, type Source, type TransferOptions } from "./source.ts";
import { type NewUpload, Refused, type Standing, Tus } from "./tus.ts";

/** Bytes up to which a file goes in one request. */
export const SMALL = 512 * 1024;

/** Sends one small file. @throws what ended it */
export async function uploadSmall(site: SiteParts, source: Source, options: TransferOptions): Promise<SendResult> {
  const start = performance.now();
  const signal = options.signal ?? new AbortController().signal;
  const body = await readWhole(source);
  const sha256 = createHash("sha256").update(body).digest("hex");
  if (options.sha256 !== undefined && options.sha256 !== sha256) {
    throw new SendError(failure("digest", "other_digest", null, `${source.name} has SHA-256 ${sha256}, not ${options.sha256} as it should`, "check the file against where it came from"));
  }
  const { description } = options;
  const upload: NewUpload = { length: body.length, metadata: { filename: source.name, ...(description === undefined ? {} : { description }) }, partial: false, sha256 };
  const tus = new Tus(site.http, site.url, signal);
  let again = false;
  const standing = await new Patience(signal).run(async () => {
    // The answer that was lost may have said that it is filed.
    const filed = again ? await findFiled(site, source, sha256, signal) : undefined;
    again = true;
    if (filed !== undefined) return filed;
    return body.length === 0 ? tus.standing(await tus.create(upload)) : tus.createWhole(upload, body);
  });
  options.onProgress?.(body.length);
  if (standing.record === undefined) throw new SendError(failure("server", "unfiled", null, "the site has all bytes and does not say where the file is", "look at the site's list; send the file again if it is not there"));
  if (standing.sha256 !== undefined && standing.sha256 !== sha256) return corrupt(null, `SHA-256 ${standing.sha256}`, sha256);
  return { ok: true, id: standing.record, name: source.name, size: body.length, sha256, checked: standing.sha256 !== undefined, ms: performance.now() - start };
}

async function readWhole(source: Source): Promise<Buffer> {
  const identity = await identify(source);
  await mustBe(source, { ...identity, size: source.size });
  const parts: Buffer[] = [];
  for await (const bytes of bytesOf(source, 0, source.size)) parts.push(bytes);
  await mustBe(source, identity);
  return Buffer.concat(parts);
}

/** A record of this file in the site's list. */
async function findFiled(site: SiteParts, source: Source, sha256: string, signal: AbortSignal): Promise<Standing | undefined> {
  const url = new URL("/api/uploads", site.url);
  url.search = new URLSearchParams({ q: source.name.slice(0, 200), limit: "200" }).toString();
  const request = site.http.open("GET", url, {}, signal);
  request.end();
  const answer = await answerOf(request);
  if (answer.status >= 500) throw new Refused(answer);
  const { uploads } = parseObject(answer.body);
  const list = Array.isArray(uploads) ? (uploads as readonly { id?: unknown; name?: unknown; folder?: unknown; size?: unknown; checksums?: { sha256?: unknown } }[]) : [];
  const found = list.find(({ name, folder, size, checksums }) => (typeof folder === "string" ? `${folder}/${String(name)}` : name) === source.name && size === source.size && checksums?.sha256 === sha256);
  return typeof found?.id === "string" ? { offset: source.size, sha256, record: found.id } : undefined;
}
