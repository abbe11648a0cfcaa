/** A site that files are sent to: the one door of the transfer engine. */
import { failure, type SendResult } from "./answer.ts";
import { sendFile } from "./form.ts";
import type { FileOptions, Source, TransferOptions } from "./source.ts";
import { sendResumable, speaksTus } from "./tus.ts";

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
  const resumable = await speaksTus(options);
  return {
    resumable,
    async send(source, more) {
      const file = { ...source, argument: source.name };
      return resumable ? sendResumable(file, { ...options, ...more }) : sendFile(file, { ...options, ...more });
    },
    async sendStream() {
      return failure("refused", "no_streams", null, "the site takes no upload of unknown length", "write it to a file first");
    },
    async close() {},
  };
}
