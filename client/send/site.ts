/** A site that files are sent to: the one door of the transfer engine. */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { tusVersion } from "../../protocol/tus.ts";
import { networkFailure, type SendResult } from "./answer.ts";
import { uploadFile } from "./file-upload.ts";
import { sendForm } from "./form.ts";
import { Http } from "./http.ts";
import { bytesOf } from "./local-file.ts";
import { aborted, mayPass, waitMs } from "./retry.ts";
import { SMALL, uploadSmall } from "./small-upload.ts";
import { type FileOptions, SendError, type Source, type TransferOptions } from "./source.ts";
import { uploadStream } from "./stream-upload.ts";
import { Refused, Tus } from "./tus.ts";

export interface SiteOptions {
  /** Upload path of the site. */
  readonly url: URL;
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
  /** Sends one file; goes on where an earlier run was stopped. Never throws: whatever goes wrong is the result. */
  send(source: Source, options: FileOptions): Promise<SendResult>;
  /** Sends bytes whose number is not known before they end. Never throws: whatever goes wrong is the result. */
  sendStream(body: AsyncIterable<Buffer>, options: TransferOptions & { readonly name: string }): Promise<SendResult>;
  /** Closes the connections that are kept for the next file. */
  close(): Promise<void>;
}

/** Asks a site what it speaks. Never throws: what cannot be reached shows when something is sent. */
export async function openSite(options: SiteOptions): Promise<Site> {
  const http = new Http(options);
  const resumable = await speaksTus(http, options.url);
  const { url } = options;
  const over = async (run: () => Promise<SendResult>, signal: AbortSignal | undefined): Promise<SendResult> => {
    // One signal may end thousands of files.
    if (signal !== undefined) setMaxListeners(0, signal);
    try {
      return await run();
    } catch (error) {
      if (signal?.aborted === true) return aborted().failure;
      if (error instanceof SendError || error instanceof Refused) return error.failure;
      return networkFailure(error as NodeJS.ErrnoException, url.host);
    }
  };
  const site = { ...options, http };
  return {
    resumable,
    async send(source, more) {
      if (!resumable) return sendForm(http, url, { name: source.name, size: source.size, body: bytesOf(source, 0, source.size) }, more);
      return over(() => (source.size <= SMALL ? uploadSmall(site, source, more) : uploadFile(site, source, more)), more.signal);
    },
    async sendStream(body, more) {
      if (!resumable) return sendForm(http, url, { name: more.name, size: undefined, body }, more);
      return over(() => uploadStream(site, body, more), more.signal);
    },
    async close() {
      http.close();
    },
  };
}

/** Attempts to ask what the site speaks. */
const QUESTIONS = 5;

/** Whether the site speaks tus at `/tus/`: an application of the site's own may not. */
async function speaksTus(http: Http, url: URL): Promise<boolean> {
  for (let failures = 1; failures <= QUESTIONS; failures++) {
    try {
      return (await new Tus(http, url).versions()).includes(tusVersion);
    } catch (error) {
      // What never answered is left to the form, whose failure says what is wrong.
      const passing = error instanceof Refused ? mayPass(error.answer.status) : ["ECONNRESET", "EPIPE", "ETIMEDOUT"].includes((error as NodeJS.ErrnoException).code ?? "");
      if (!passing) return false;
      await sleep(waitMs(failures, undefined));
    }
  }
  return false;
}
