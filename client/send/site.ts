/** A site that files are sent to: the one door of the transfer engine. */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { networkFailure, type SendFailure, type SendResult } from "./answer.ts";
import { uploadFile } from "./file-upload.ts";
import { sendForm } from "./form.ts";
import { Http } from "./http.ts";
import { bytesOf } from "./local-file.ts";
import { aborted, mayPass, waitMs } from "./retry.ts";
import { isFormName, uploadTogether } from "./small-files.ts";
import { SMALL, uploadSmall } from "./small-upload.ts";
import { type FileOptions, SendError, type SmallFile, type Source, type TogetherOptions, type TransferOptions } from "./source.ts";
import { statePath, statesIn } from "./state.ts";
import { uploadStream } from "./stream-upload.ts";
import { type Abilities, Refused, Tus } from "./tus.ts";

export interface SiteOptions {
  /** The site, or its upload address. */
  readonly url: URL;
  /** Ends the asking what it speaks. */
  readonly signal?: AbortSignal;
  /** CA certificates, PEM. @default the system's CAs */
  readonly ca?: Buffer;
  /** Bearer token for every request. @default none */
  readonly token?: string;
  /** HTTP proxy that connections go through by CONNECT. @default none */
  readonly proxy?: URL;
  /** Bytes a second of all files and streams together. @default no limit */
  readonly rateBytesPerSecond?: number;
  /** Folder of the state files. @default $XDG_STATE_HOME/slipway */
  readonly stateFolder?: string;
  /** Told when something happens that a person would wonder about, in one sentence. */
  readonly onNote?: (text: string) => void;
}

export interface Site {
  /** Whether a cut upload goes on where it was; without, the site takes forms only. */
  readonly resumable: boolean;
  /** Most files that {@link sendTogether} takes; 1 where each has to go by itself. */
  readonly together: number;
  /** Path that it takes uploads at; not known where an application of the site's own answers. */
  readonly uploadPath: string | undefined;
  /** Sends one file; goes on where an earlier run was stopped. Never throws: whatever goes wrong is the result. */
  send(source: Source, options: FileOptions): Promise<SendResult>;
  /** Whether an earlier run has begun to send the file at this path over several requests: then it may not be small, but cut short. */
  wasBegun(source: Source): boolean;
  /**
   * Sends files for which {@link maySendTogether} in one request. Never throws: whatever goes wrong is the result of each.
   * @returns nothing when the site refuses them so; then none of them is there
   */
  sendTogether(files: readonly SmallFile[], options: TogetherOptions): Promise<readonly SendResult[] | undefined>;
  /** Sends bytes whose number is not known before they end. Never throws: whatever goes wrong is the result. */
  sendStream(body: AsyncIterable<Buffer>, options: TransferOptions & { readonly name: string }): Promise<SendResult>;
  /** Asks whether the site answers at all. Never throws. @returns why it does not */
  missing(signal: AbortSignal): Promise<SendFailure | undefined>;
  /** Closes the connections that are kept for the next file. */
  close(): Promise<void>;
}

/** Bytes of all the files of one request: what is lost of it by a cut is sent again. */
export const TOGETHER = SMALL;

/** Whether a file may go with others. */
export const maySendTogether = ({ name, size }: Pick<Source, "name" | "size">): boolean => size <= TOGETHER / 2 && isFormName(name);

/** Asks a site what it speaks. @throws {SendError} when nothing answers */
export async function openSite(options: SiteOptions): Promise<Site> {
  const http = new Http(options);
  const { resumable, formFiles, uploadPath } = await abilitiesOf(http, options).catch((error: unknown) => {
    http.close();
    throw error;
  });
  const url = uploadAddress(options.url, uploadPath);
  const over = async <T>(run: () => Promise<T>, signal: AbortSignal | undefined, failed: (failure: SendFailure) => T): Promise<T> => {
    // One signal may end thousands of files.
    if (signal !== undefined) setMaxListeners(0, signal);
    try {
      return await run();
    } catch (error) {
      if (signal?.aborted === true) return failed(aborted().failure);
      if (error instanceof SendError || error instanceof Refused) return failed(error.failure);
      return failed(networkFailure(error as NodeJS.ErrnoException, url.host));
    }
  };
  const one = (run: () => Promise<SendResult>, signal: AbortSignal | undefined): Promise<SendResult> => over(run, signal, (failure) => failure);
  const site = { ...options, url, http };
  const begun = resumable ? await statesIn(options.stateFolder) : new Set<string>();
  const wasBegun = ({ path }: Source): boolean => begun.size > 0 && begun.has(statePath(path, url, options.stateFolder));
  return {
    resumable,
    together: resumable ? formFiles : 1,
    uploadPath,
    wasBegun,
    async send(source, more) {
      if (!resumable) return sendForm(http, url, { name: source.name, size: source.size, body: bytesOf(source, 0, source.size) }, more);
      return one(() => (source.size <= SMALL && !wasBegun(source) ? uploadSmall(site, source, more) : uploadFile(site, source, more)), more.signal);
    },
    async sendTogether(files, more) {
      return over<readonly SendResult[] | undefined>(() => uploadTogether(site, files, more), more.signal, (failure) => files.map(() => failure));
    },
    async sendStream(body, more) {
      if (!resumable) return sendForm(http, url, { name: more.name, size: undefined, body }, more);
      return one(() => uploadStream(site, body, more), more.signal);
    },
    async missing(signal) {
      try {
        await new Tus(http, url, signal).abilities();
        return undefined;
      } catch (error) {
        return error instanceof Refused ? error.failure : networkFailure(error as NodeJS.ErrnoException, url.host);
      }
    },
    async close() {
      http.close();
    },
  };
}

/** Where an application of the site's own takes forms, as long as its address does not say otherwise. */
const USUAL_PATH = "/upload";

/** Where forms go: where the site says, or else where the address leads. */
function uploadAddress(given: URL, uploadPath: string | undefined): URL {
  if (uploadPath !== undefined) return new URL(uploadPath, given);
  const url = new URL(given);
  if (url.pathname === "/") url.pathname = USUAL_PATH;
  return url;
}

/** Answers of a proxy in front of something that does not answer, and of a site that cannot work now (RFC 9110, sections 15.6.3 to 15.6.5). */
const DOWN: ReadonlySet<number> = new Set([502, 503, 504]);

/** Attempts to ask what the site speaks. */
const QUESTIONS = 5;

/** What is sent where nothing is known of the site: a form for each file. */
const FORMS_ONLY: Abilities = { resumable: false, formFiles: 1, uploadPath: undefined };

const isPassing = (error: unknown): boolean =>
  error instanceof Refused ? mayPass(error.answer.status) : ["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN"].includes((error as NodeJS.ErrnoException).code ?? "");

/** What the site says of itself at `/tus/`: an application of the site's own may have no such address. @throws {SendError} when nothing answers */
async function abilitiesOf(http: Http, { url, signal }: SiteOptions): Promise<Abilities> {
  for (let failures = 1; ; failures++) {
    try {
      return await new Tus(http, url, signal).abilities();
    } catch (error) {
      if (signal?.aborted === true) throw aborted();
      if (!isPassing(error) || failures === QUESTIONS) {
        // Whatever is behind a site that is down so says nothing about what it speaks.
        if (error instanceof Refused && DOWN.has(error.answer.status)) throw new SendError(error.failure);
        if (error instanceof Refused) return FORMS_ONLY;
        throw new SendError(networkFailure(error as NodeJS.ErrnoException, url.host));
      }
      await sleep(waitMs(failures, undefined), undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  }
}
