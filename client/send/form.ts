import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { ClientRequest } from "node:http";
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { PlannedFile } from "../plan.ts";
import { judge, networkFailure, parseObject, refusal, type SendResult } from "./answer.ts";
import { answerOf, drained, open, READ_SIZE, type SendOptions } from "./http.ts";
import { formFrame } from "./multipart.ts";

/** Some servers never say "100 Continue"; then the body is sent all the same (RFC 9110, section 10.1.1). */
const CONTINUE_TIMEOUT_MS = 1_000;

/**
 * Sends one file as a form, streaming: the file is never in memory. Its SHA-256 is computed on the way and held
 * against the one in the answer. Never throws: whatever goes wrong is the result.
 */
export async function sendFile(file: PlannedFile, options: SendOptions): Promise<SendResult> {
  const start = performance.now();
  const fields = { terminal: "yes", submit: "Upload", ...(options.description === undefined ? {} : { description: options.description }) };
  const frame = formFrame(fields, { field: "file", name: file.name });
  const request = open(options, "POST", options.url, {
    "Content-Type": frame.contentType, "Content-Length": frame.head.length + file.size + frame.tail.length, Expect: "100-continue",
  });
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
