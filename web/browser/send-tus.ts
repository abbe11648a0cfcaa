/** One file over tus: it goes on from the server's offset after a pause, a cut, a reload and a restart. */
import { Upload, defaultOptions, type DetailedError, type HttpRequest, type HttpResponse, type PreviousUpload } from "tus-js-client";
import { outcomeOf, problemOfBreakdown, type Outcome } from "./outcome.ts";
import type { SendOptions, Sending } from "./send.ts";
import { isReadable, pathOf } from "./send.ts";
import { endWhenSilent, SHORT_SILENCE_MS } from "./silence.ts";

/** Waits before each try of a request that got no good answer, ms; progress starts them anew. */
const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000];

/** A request with bytes that is broken off costs a question, and none of the bytes that have arrived, ms. */
const SENDING_SILENCE_MS = 20_000;
/** Once all bytes are sent the site writes them to its disk. */
const FILING_SILENCE_MS = 60_000;

function listen(request: HttpRequest): void {
  const brings = request.getMethod() === "PATCH";
  endWhenSilent(request.getUnderlyingObject() as XMLHttpRequest, {
    sending: brings ? SENDING_SILENCE_MS : SHORT_SILENCE_MS,
    answering: brings ? FILING_SILENCE_MS : SHORT_SILENCE_MS,
  });
}

/** Statuses that may heal by themselves: the upload is held by a request that is about to end, too many, and 5xx but a full disk. */
function mayHeal(status: number): boolean {
  return status === 0 || status === 409 || status === 423 || status === 429 || (status >= 500 && status !== 507);
}

/** What makes two files the same for this page: name, folder, size and last change. */
export function fingerprintOf(file: File, folder: string): string {
  return `slipway:${JSON.stringify([folder, file.name, file.size, file.lastModified])}`;
}

const storage = defaultOptions.urlStorage;

/** The question where an upload stands was answered with a status that may heal. */
class NotNow extends Error {
  readonly response: HttpResponse;
  constructor(response: HttpResponse) {
    super(`not now: ${response.getStatus()}`);
    this.response = response;
  }
}

/** tus-js-client begins anew whenever it does not learn the offset: so it is told of no answer when it should ask again. */
function refuseToForget(request: HttpRequest, response: HttpResponse): void {
  if (request.getMethod() === "HEAD" && mayHeal(response.getStatus())) throw new NotNow(response);
}

function responseOf(error: Error | DetailedError): HttpResponse | null {
  if (!("originalResponse" in error)) return null;
  return error.originalResponse ?? (error.causingError instanceof NotNow ? error.causingError.response : null);
}

const statusOf = (error: Error | DetailedError): number => responseOf(error)?.getStatus() ?? 0;

/** What has become of a file that the site has. */
async function filed(address: string): Promise<Outcome> {
  for (let failures = 0; ; failures += 1) {
    const wait = RETRY_DELAYS_MS[failures];
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(SHORT_SILENCE_MS) });
      if (wait === undefined || !mayHeal(answer.status)) return outcomeOf(answer.status, await answer.text());
    } catch (error) {
      if (wait === undefined) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** @param address Where uploads are made. */
export function sendTus(file: File, address: string, options: SendOptions): Sending {
  const { description, folder } = options;
  let record = "";
  let loaded = 0;
  let isAborted = false;
  let isSent = false;
  const fail = async (error: Error | DetailedError): Promise<void> => {
    const response = responseOf(error);
    const status = statusOf(error);
    const readable = await isReadable(file);
    if (isAborted) return;
    const breakdown = { isOnline: navigator.onLine, isReadable: readable, loaded, total: file.size, isSent: false };
    options.onOutcome(status > 0 && response !== null && readable ? outcomeOf(status, response.getBody()) : { kind: "fail", problem: problemOfBreakdown(breakdown) });
  };
  const upload = new Upload(file, {
    endpoint: address,
    metadata: {
      filename: file.name,
      filetype: file.type,
      ...(folder === "" ? {} : { relativePath: pathOf(file, folder) }),
      ...(description === "" ? {} : { description }),
    },
    fingerprint: async () => fingerprintOf(file, folder),
    removeFingerprintOnSuccess: true,
    retryDelays: RETRY_DELAYS_MS,
    onBeforeRequest: listen,
    onShouldRetry: (error) => !isAborted && mayHeal(statusOf(error)),
    onAfterResponse: (request, response) => {
      refuseToForget(request, response);
      record = response.getHeader("Content-Location") ?? record;
    },
    onProgress: (sent) => {
      loaded = sent;
      options.onProgress(sent);
      if (sent < file.size || isSent) return;
      isSent = true;
      options.onSent();
    },
    onError: (error) => void fail(error),
    onSuccess: () => {
      filed(record).then((outcome) => {
        if (!isAborted) options.onOutcome(outcome);
      }, fail);
    },
  });
  void storage.findUploadsByFingerprint(fingerprintOf(file, folder)).then(([previous]) => {
    if (isAborted) return;
    if (previous !== undefined) upload.resumeFromPreviousUpload(previous);
    upload.start();
  });
  return {
    abort() {
      isAborted = true;
      void upload.abort();
    },
  };
}

/** An upload that this browser began and did not end. */
export type Interrupted = PreviousUpload;

/** What this browser began and did not end, oldest first. */
export async function findInterrupted(): Promise<readonly Interrupted[]> {
  const all = await storage.findAllUploads();
  return all.filter(({ urlStorageKey }) => urlStorageKey.includes("slipway:")).sort((a, b) => Date.parse(a.creationTime) - Date.parse(b.creationTime));
}

/** Bytes of an upload that the server has; null when it has none of it any more. */
export async function offsetOf({ uploadUrl }: Interrupted): Promise<number | null> {
  const answer = await fetch(uploadUrl ?? "", { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" }, signal: AbortSignal.timeout(SHORT_SILENCE_MS) });
  const offset = answer.headers.get("Upload-Offset");
  if (answer.status === 404 || answer.status === 410 || answer.headers.has("Content-Location")) return null;
  return answer.ok && offset !== null ? Number(offset) : 0;
}

/** Gives an upload up: the server frees its space, this browser forgets it. */
export async function discard(upload: Interrupted): Promise<void> {
  await storage.removeUpload(upload.urlStorageKey);
  if (upload.uploadUrl !== null) await Upload.terminate(upload.uploadUrl, { retryDelays: RETRY_DELAYS_MS, onBeforeRequest: listen });
}

/** Forgets an upload that the server no longer has. */
export function forget(upload: Interrupted): Promise<void> {
  return storage.removeUpload(upload.urlStorageKey);
}

/** Gives up whatever was begun of a file. */
export async function discardFile(file: File, folder: string): Promise<void> {
  for (const previous of await storage.findUploadsByFingerprint(fingerprintOf(file, folder))) await discard(previous);
}
