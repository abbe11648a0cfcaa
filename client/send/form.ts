import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { once } from "node:events";
import { isIP, type LookupFunction, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { PlannedFile } from "../plan.ts";
import { judge, networkFailure, parseObject, refusal, type SendResult } from "./answer.ts";
import { formFrame } from "./multipart.ts";

export interface SendOptions {
  readonly url: URL;
  /** CA certificate, PEM. @default the system's CAs */
  readonly ca?: Buffer;
  readonly description?: string;
  /** IP address to connect to, whatever the URL's host resolves to. @default what it resolves to */
  readonly connectTo?: string;
  /** Called with the bytes of the file sent so far. */
  readonly onProgress?: (sent: number) => void;
}

/** Some servers never say "100 Continue"; then the body is sent all the same (RFC 9110, section 10.1.1). */
const CONTINUE_TIMEOUT_MS = 1_000;
/** One read of the file, and so about what is in memory at a time. */
const READ_SIZE = 256 * 1024;
const LONGEST_ANSWER = 1024 * 1024;

/**
 * Sends one file as a form, streaming: the file is never in memory. Its SHA-256 is computed on the way and held
 * against the one in the answer. Never throws: whatever goes wrong is the result.
 */
export async function sendFile(file: PlannedFile, options: SendOptions): Promise<SendResult> {
  const start = performance.now();
  const fields = { terminal: "yes", submit: "Upload", ...(options.description === undefined ? {} : { description: options.description }) };
  const frame = formFrame(fields, { field: "file", name: file.name });
  const request = open(options, frame.contentType, frame.head.length + file.size + frame.tail.length);
  const answered = answerOf(request);
  // An answer may come before the body is out; a refusal at that point ends the sending.
  let early: { status: number; body: string } | undefined;
  answered.then((answer) => (early = answer), () => undefined);
  try {
    const sha256 = await sendBody(request, frame, file, options.onProgress, () => early !== undefined);
    const answer = await answered;
    if (sha256 === undefined) return refusal(answer.status, parseObject(answer.body));
    return judge(answer.status, answer.body, { size: file.size, sha256, ms: performance.now() - start });
  } catch (error) {
    if (early !== undefined) return refusal(early.status, parseObject(early.body));
    return networkFailure(error as NodeJS.ErrnoException, options.url.host);
  } finally {
    request.destroy();
  }
}

function open(options: SendOptions, contentType: string, length: number): ClientRequest {
  const { url, ca, connectTo } = options;
  const lookup: { lookup?: LookupFunction } = connectTo === undefined ? {} : { lookup: fixed(connectTo) };
  const headers = { "Content-Type": contentType, "Content-Length": length, Accept: "application/json", Expect: "100-continue", "User-Agent": "slipway-push" };
  return url.protocol === "https:"
    ? httpsRequest(url, { method: "POST", headers, agent: false, ...lookup, ...(ca === undefined ? {} : { ca }) })
    : httpRequest(url, { method: "POST", headers, agent: false, ...lookup });
}

/** A look-up that always finds one address. */
const fixed = (address: string): LookupFunction => (_host, { all }, callback) => {
  const family = isIP(address);
  if (all === true) callback(null, [{ address, family }]);
  else callback(null, address, family);
};

async function answerOf(request: ClientRequest): Promise<{ status: number; body: string }> {
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length <= LONGEST_ANSWER) parts.push(part);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(parts).toString("utf8") };
}

/** Sends the body; resolves with the file's SHA-256 in hex, or with nothing when the answer came before the end. */
async function sendBody(
  request: ClientRequest,
  frame: { readonly head: Buffer; readonly tail: Buffer },
  file: PlannedFile,
  onProgress: SendOptions["onProgress"],
  isAnswered: () => boolean,
): Promise<string | undefined> {
  request.flushHeaders();
  await allowed(request);
  if (isAnswered()) return undefined;
  const write = async (bytes: Buffer): Promise<void> => {
    if (!request.write(bytes)) await drained(request);
  };
  await write(frame.head);
  const hash = createHash("sha256");
  let sent = 0;
  if (file.size > 0) {
    for await (const bytes of createReadStream(file.path, { end: file.size - 1, highWaterMark: READ_SIZE }) as AsyncIterable<Buffer>) {
      if (isAnswered()) return undefined;
      hash.update(bytes);
      await write(bytes);
      sent += bytes.length;
      onProgress?.(sent);
    }
  }
  if (sent !== file.size) {
    throw Object.assign(new Error(`${file.argument} became shorter while it was sent: ${sent} of ${file.size} bytes`), { code: "CHANGED" });
  }
  request.end(frame.tail);
  return hash.digest("hex");
}

/** Until more can be written, or an answer makes that pointless. Leaves no listener behind: a large file waits often. */
function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    // A request whose connection is gone takes writes without a word and never drains.
    if (request.destroyed) return reject(request.errored ?? Object.assign(new Error("the connection is closed"), { code: "ECONNRESET" }));
    const settle = (error?: Error): void => {
      for (const event of ["drain", "response", "close"]) request.off(event, onEnd);
      request.off("error", settle);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onEnd = (): void => settle();
    for (const event of ["drain", "response", "close"]) request.once(event, onEnd);
    request.once("error", settle);
  });
}

/** Until the server wants the body, has answered without it, or has been silent for long enough. */
async function allowed(request: ClientRequest): Promise<void> {
  const ended = new AbortController();
  const { signal } = ended;
  // The time counts from the connection on: a slow handshake is no sign of an old server.
  const silent = async (): Promise<void> => {
    const [socket] = (await once(request, "socket", { signal })) as [Socket];
    await once(socket, request.protocol === "https:" ? "secureConnect" : "connect", { signal });
    await sleep(CONTINUE_TIMEOUT_MS, undefined, { signal });
  };
  try {
    await Promise.race([once(request, "continue", { signal }), once(request, "response", { signal }), silent()]);
  } finally {
    ended.abort();
  }
}
