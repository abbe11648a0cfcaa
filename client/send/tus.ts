/** tus 1.0.0 as a client speaks it: requests and what their answers say, without any trying again. */
import type { ClientRequest } from "node:http";
import { parseByteCount } from "../../protocol/byte-count.ts";
import { reprDigest } from "../../protocol/checksum.ts";
import { parseDigestField } from "../../protocol/digest-field.ts";
import { formFilesHeader } from "../../protocol/form-files.ts";
import { tusBodyType, tusVersion } from "../../protocol/tus.ts";
import { readUploadPath, uploadPathHeader } from "../../protocol/upload-path.ts";
import { parseObject, refusal, type SendFailure } from "./answer.ts";
import { exchange, silent } from "./exchange.ts";
import { type Answer, answerOf, continued, type Http } from "./http.ts";

/** Silence after which a connection counts as dead. */
const SILENCE_MS = 60_000;
/** Requests that carry no bytes are answered soon, or the connection is half open. */
const SHORT_SILENCE_MS = 10_000;
/** Declaring an upload final waits for what the site still digests. */
const FINAL_SILENCE_MS = 300_000;

type Headers = Readonly<Record<string, string>>;

/** What a site can do. */
export interface Abilities {
  /** Whether it speaks tus. */
  readonly resumable: boolean;
  /** Most files that may come in one form and be told apart; 1 where it says nothing of it. */
  readonly formFiles: number;
  /** Path that it takes uploads at; `undefined` where it does not say. */
  readonly uploadPath: string | undefined;
}

/** Where an upload stands. */
export interface Standing {
  readonly offset: number;
  /** SHA-256 of the whole file in hex, once the site has it. */
  readonly sha256: string | undefined;
  /** Id of the file's record, once the site has filed it. */
  readonly record: string | undefined;
}

/** What a new upload is. */
export interface NewUpload {
  /** Bytes; `undefined` while they are not known. */
  readonly length: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether it is a part of a file, whose place stands in the metadata. */
  readonly partial: boolean;
  /** Hex. */
  readonly sha256: string | undefined;
}

/** Bytes for an upload. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
  readonly body: AsyncIterable<Buffer>;
  readonly more?: Headers;
  /** Whether the site is asked first (`Expect: 100-continue`): then nothing is lost in a cut before it reads. */
  readonly ask: boolean;
  /** Called with the bytes of this piece that were handed to the network. */
  readonly onSent?: (sent: number) => void;
}

/** An answer that is not the one that was hoped for. */
export class Refused extends Error {
  readonly failure: SendFailure;
  readonly answer: Answer;
  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.failure = refusal(answer.status, parseObject(answer.body), answer.headers.location);
    this.answer = answer;
  }
}

/** Whether an answer means that there is no such upload, or no more. */
export const isGone = (error: unknown): boolean => error instanceof Refused && [404, 410].includes(error.answer.status);

function metadataField(metadata: Headers): string {
  return Object.entries(metadata).map(([key, value]) => `${key} ${Buffer.from(value).toString("base64")}`).join(",");
}

const digestField = (sha256: string | undefined): Headers => {
  const value = sha256 === undefined ? undefined : reprDigest({ sha256 });
  return value === undefined ? {} : { "Repr-Digest": value };
};

/** The tus addresses of one site. */
export class Tus {
  readonly #http: Http;
  readonly #root: URL;
  readonly #signal: AbortSignal | undefined;

  constructor(http: Http, site: URL, signal?: AbortSignal) {
    this.#http = http;
    this.#root = new URL("/tus/", site);
    this.#signal = signal;
  }

  /** What the site speaks; nothing where an application answers that knows nothing of tus. @throws {Refused} when the site is broken */
  async abilities(): Promise<Abilities> {
    const { status, headers, body } = await this.#ask("OPTIONS", this.#root);
    if (status >= 500) throw new Refused({ status, headers, body });
    return {
      resumable: String(headers["tus-version"] ?? "").split(",").includes(tusVersion),
      formFiles: parseByteCount(String(headers[formFilesHeader.toLowerCase()] ?? "")) ?? 1,
      uploadPath: readUploadPath(String(headers[uploadPathHeader.toLowerCase()] ?? "")),
    };
  }

  /** Begins an upload. @throws {Refused} */
  async create(upload: NewUpload): Promise<URL> {
    return this.#made(await this.#ask("POST", this.#root, this.#creation(upload)));
  }

  /** Begins an upload and sends all of it in one request. @throws {Refused} */
  async createWhole(upload: NewUpload, body: Buffer): Promise<Standing> {
    const one = async function* (): AsyncGenerator<Buffer> { yield body; };
    const headers = { ...this.#creation(upload), "Content-Type": tusBodyType, "Want-Repr-Digest": "sha-256=10" };
    return standingOf(await this.#send("POST", this.#root, headers, { offset: 0, length: body.length, body: one(), ask: false }), 201);
  }

  /** @throws {Refused} when there is no such upload */
  async standing(upload: URL): Promise<Standing> {
    return standingOf(await this.#ask("HEAD", upload, { "Want-Repr-Digest": "sha-256=10" }), 200);
  }

  /** Sends bytes from the upload's offset on. @throws {Refused} */
  async append(upload: URL, piece: Piece): Promise<Standing> {
    const headers = { "Content-Type": tusBodyType, "Upload-Offset": String(piece.offset), "Want-Repr-Digest": "sha-256=10", ...piece.more };
    return standingOf(await this.#send("PATCH", upload, headers, piece), 204);
  }

  /** Declares parts to be a file. @throws {Refused} */
  async finish(parts: readonly URL[], metadata: Headers, sha256: string): Promise<URL> {
    const concat = `final;${parts.map(({ pathname }) => pathname).join(" ")}`;
    return this.#made(await this.#ask("POST", this.#root, { "Upload-Concat": concat, "Upload-Metadata": metadataField(metadata), ...digestField(sha256) }, FINAL_SILENCE_MS));
  }

  /** Gives an upload up, as far as the site can be reached. */
  async cancel(upload: URL): Promise<void> {
    await this.#ask("DELETE", upload).catch(() => undefined);
  }

  #creation({ length, metadata, partial, sha256 }: NewUpload): Headers {
    return {
      ...(length === undefined ? { "Upload-Defer-Length": "1" } : { "Upload-Length": String(length) }),
      ...(partial ? { "Upload-Concat": "partial" } : {}),
      "Upload-Metadata": metadataField(metadata),
      ...digestField(sha256),
    };
  }

  #made(answer: Answer): URL {
    const { location } = answer.headers;
    if (answer.status !== 201 || location === undefined) throw new Refused(answer);
    return new URL(location, this.#root);
  }

  async #ask(method: string, url: URL, more: Headers = {}, silence: number = SHORT_SILENCE_MS): Promise<Answer> {
    const request = this.#http.open(method, url, { "Tus-Resumable": tusVersion, ...(method === "POST" ? { "Content-Length": "0" } : {}), ...more }, this.#signal);
    request.setTimeout(silence, () => request.destroy(silent(silence)));
    request.end();
    return answerOf(request);
  }

  async #send(method: string, url: URL, more: Headers, piece: Piece): Promise<Answer> {
    const { length, ask } = piece;
    const headers = { "Tus-Resumable": tusVersion, ...more, "Content-Length": String(length), ...(ask ? { Expect: "100-continue" } : {}) };
    const request = this.#http.open(method, url, headers, this.#signal);
    return exchange(request, SILENCE_MS, async (isAnswered) => {
      if (ask) {
        request.flushHeaders();
        await continued(request);
      }
      await this.#write(request, piece, isAnswered);
    });
  }

  async #write(request: ClientRequest, { body, onSent }: Piece, isAnswered: () => boolean): Promise<void> {
    let sent = 0;
    for await (const bytes of body) {
      if (isAnswered()) return;
      await this.#http.write(request, bytes, this.#signal);
      sent += bytes.length;
      onSent?.(sent);
    }
    request.end();
  }
}

/** Where an answer says that the upload stands. @throws {Refused} */
function standingOf(answer: Answer, expected: number): Standing {
  const offset = parseByteCount(String(answer.headers["upload-offset"] ?? ""));
  if (answer.status !== expected || offset === undefined) throw new Refused(answer);
  const digest = parseDigestField(String(answer.headers["repr-digest"] ?? ""))?.find(({ checksum }) => checksum === "sha256");
  const record = /^\/api\/uploads\/([^/]+)$/.exec(String(answer.headers["content-location"] ?? ""))?.[1];
  return { offset, sha256: digest?.hex, record };
}
