/** Bytes of unknown length over tus. They cannot be read twice: what the site has not acknowledged is kept. */
import { createHash } from "node:crypto";
import { failure, type SendResult } from "./answer.ts";
import { described, mustHave, resultOf } from "./filed.ts";
import { Patience } from "./retry.ts";
import type { SiteParts } from "./site-parts.ts";
import { SendError, type TransferOptions } from "./source.ts";
import { type Standing, Tus } from "./tus.ts";

/** Bytes of one request. While one piece is sent the next is read, so twice as many are in memory. */
export const PIECE = 16 * 1024 * 1024;

interface StreamPiece {
  readonly bytes: Buffer;
  readonly last: boolean;
}

/** A stream in pieces of one size; only the last, which may be empty when it is the only one, is shorter. */
export async function* inPieces(body: AsyncIterable<Buffer>, size: number = PIECE): AsyncGenerator<StreamPiece> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    for (let rest = chunk; rest.length > 0; ) {
      // A full piece waits until a byte follows: it may have been the last.
      if (length === size) {
        yield { bytes: Buffer.concat(parts), last: false };
        [parts, length] = [[], 0];
      }
      const some = rest.subarray(0, size - length);
      parts.push(some);
      length += some.length;
      rest = rest.subarray(some.length);
    }
  }
  yield { bytes: Buffer.concat(parts), last: true };
}

export interface StreamOptions extends TransferOptions {
  readonly name: string;
}

/** Sends a stream to its end. @throws what ended it */
export async function uploadStream(site: SiteParts, body: AsyncIterable<Buffer>, options: StreamOptions): Promise<SendResult> {
  const upload = new StreamUpload(site, options);
  try {
    return await upload.run(inPieces(readable(body)));
  } catch (error) {
    await upload.giveUp();
    throw error;
  }
}

async function* readable(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw new SendError(failure("local", "unreadable", null, `the input cannot be read: ${(error as Error).message}`, "run the command again"));
  }
}

class StreamUpload {
  readonly #site: SiteParts;
  readonly #options: StreamOptions;
  readonly #signal: AbortSignal;
  readonly #tus: Tus;
  readonly #hash = createHash("sha256");
  readonly #start = performance.now();
  #url: URL | undefined;
  #sent = 0;

  constructor(site: SiteParts, options: StreamOptions) {
    this.#site = site;
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#tus = new Tus(site.http, site.url, this.#signal);
  }

  /** Nobody can go on with it, so its space is freed. */
  async giveUp(): Promise<void> {
    if (this.#url !== undefined) await new Tus(this.#site.http, this.#site.url).cancel(this.#url);
  }

  async run(pieces: AsyncGenerator<StreamPiece>): Promise<SendResult> {
    const ahead = (): Promise<IteratorResult<StreamPiece>> => {
      const next = pieces.next();
      // It is waited for when the piece before has been sent.
      next.catch(() => undefined);
      return next;
    };
    for (let next = ahead(); ; ) {
      const { value: piece } = (await next) as IteratorYieldResult<StreamPiece>;
      this.#hash.update(piece.bytes);
      if (!piece.last) {
        next = ahead();
        await this.#send(piece, undefined);
        continue;
      }
      const sha256 = this.#hash.digest("hex");
      mustHave(this.#options.sha256, sha256, "check what was piped in");
      return this.#judge(await this.#send(piece, sha256), sha256);
    }
  }

  /** Sends one piece. @param sha256 of the whole, with the last */
  async #send({ bytes, last }: StreamPiece, sha256: string | undefined): Promise<Standing> {
    const patience = new Patience(this.#signal);
    const begin = this.#sent;
    const end = begin + bytes.length;
    const url = await this.#begun(last ? end : undefined, sha256, patience);
    let again = false;
    const standing = await patience.run(async () => {
      const now: Standing = again || end === 0 ? await this.#tus.standing(url) : { offset: begin, sha256: undefined, record: undefined };
      if (now.offset < begin || now.offset > end) throw new SendError(failure("server", "lost", null, `the site stands at ${now.offset}, which is not between ${begin} and ${end}`, "send it again from the beginning"));
      if (now.offset > begin) patience.progressed();
      if (last ? now.record !== undefined : now.offset === end) return now;
      const ask = again;
      again = true;
      return this.#append(url, now.offset, bytes.subarray(now.offset - begin), { ask, total: last ? end : undefined });
    });
    if (standing.offset !== end) throw new SendError(failure("server", "lost", null, `the site took ${standing.offset} of ${end} bytes`, "send it again from the beginning"));
    this.#sent = end;
    return standing;
  }

  /** The upload, made when its first piece is there: then the length may be known. */
  async #begun(total: number | undefined, sha256: string | undefined, patience: Patience): Promise<URL> {
    const metadata = described(this.#options.name, this.#options);
    this.#url ??= await patience.run(() => this.#tus.create({ length: total, metadata, partial: false, sha256: sha256 ?? this.#options.sha256 }));
    return this.#url;
  }

  #append(url: URL, offset: number, bytes: Buffer, { ask, total }: { readonly ask: boolean; readonly total: number | undefined }): Promise<Standing> {
    const slice = 256 * 1024;
    const body = async function* (): AsyncGenerator<Buffer> {
      for (let at = 0; at < bytes.length; at += slice) yield bytes.subarray(at, at + slice);
    };
    const more: Readonly<Record<string, string>> = total === undefined ? {} : { "Upload-Length": String(total) };
    return this.#tus.append(url, { offset, length: bytes.length, body: body(), more, ask, onSent: (sent) => this.#options.onProgress?.(offset + sent) });
  }

  #judge(standing: Standing, sha256: string): SendResult {
    const sent = { size: standing.offset, sha256, ms: performance.now() - this.#start };
    return resultOf(standing, this.#options.name, sent, "look at the site's list");
  }
}
