/** Sending as a form, to a site that takes nothing else. */
import { createHash } from "node:crypto";
import type { ClientRequest } from "node:http";
import { corrupt, judge, networkFailure, parseObject, refusal, type SendResult } from "./answer.ts";
import { type Answer, answerOf, continued, Http, type HttpOptions } from "./http.ts";
import { bytesOf } from "./local-file.ts";
import { formFrame } from "./multipart.ts";
import { aborted } from "./retry.ts";
import { SendError, type Source, type TransferOptions } from "./source.ts";

/** What the one file of a form is. */
export interface FormFile {
  readonly name: string;
  /** Bytes; `undefined` while they are not known. */
  readonly size: number | undefined;
  readonly body: AsyncIterable<Buffer>;
}

export interface SendFileOptions extends HttpOptions, TransferOptions {
  readonly url: URL;
}

/** Sends one file as a form over connections of its own. Never throws: whatever goes wrong is the result. */
export async function sendFile(source: Source, options: SendFileOptions): Promise<SendResult> {
  const http = new Http(options);
  try {
    return await sendForm(http, options.url, { name: source.name, size: source.size, body: bytesOf(source, 0, source.size) }, options);
  } finally {
    http.close();
  }
}

/**
 * Sends one form, streaming: the file is never in memory. Its SHA-256 is computed on the way and held against the one
 * in the answer. Never throws: whatever goes wrong is the result.
 */
export async function sendForm(http: Http, url: URL, file: FormFile, options: TransferOptions): Promise<SendResult> {
  const start = performance.now();
  const fields = { terminal: "yes", submit: "Upload", ...(options.description === undefined ? {} : { description: options.description }) };
  const frame = formFrame(fields, { field: "file", name: file.name });
  const length = file.size === undefined ? {} : { "Content-Length": frame.head.length + file.size + frame.tail.length };
  const request = http.open("POST", url, { "Content-Type": frame.contentType, Expect: "100-continue", ...length }, options.signal);
  const answered = answerOf(request);
  // An answer may come before the body is out; a refusal at that point ends the sending.
  let early: Answer | undefined;
  answered.then((answer) => (early = answer), () => undefined);
  try {
    const sent = await sendBody(http, request, frame, file, options, () => early !== undefined);
    const answer = await answered;
    if (sent === undefined) return refusal(answer.status, parseObject(answer.body), answer.headers.location);
    const result = judge(answer, { ...sent, ms: performance.now() - start });
    return result.ok && options.sha256 !== undefined && options.sha256 !== sent.sha256 ? corrupt(null, sent.sha256, options.sha256) : result;
  } catch (error) {
    if (options.signal?.aborted === true) return aborted().failure;
    if (early !== undefined) return refusal(early.status, parseObject(early.body), early.headers.location);
    return error instanceof SendError ? error.failure : networkFailure(error as NodeJS.ErrnoException, url.host);
  } finally {
    if (!request.writableFinished) request.destroy();
  }
}

/** Sends the body; resolves with what was sent, or with nothing when the answer came before the end. */
async function sendBody(
  http: Http,
  request: ClientRequest,
  frame: { readonly head: Buffer; readonly tail: Buffer },
  file: FormFile,
  { onProgress, signal }: TransferOptions,
  isAnswered: () => boolean,
): Promise<{ readonly size: number; readonly sha256: string } | undefined> {
  request.flushHeaders();
  await continued(request);
  if (isAnswered()) return undefined;
  await http.write(request, frame.head, signal);
  const hash = createHash("sha256");
  let sent = 0;
  for await (const bytes of file.body) {
    if (isAnswered()) return undefined;
    hash.update(bytes);
    await http.write(request, bytes, signal);
    sent += bytes.length;
    onProgress?.(sent);
  }
  request.end(frame.tail);
  return { size: sent, sha256: hash.digest("hex") };
}

