import type { SendFailure } from "./answer.ts";

/** A local file that is to be sent. */
export interface Source {
  /** Absolute path. */
  readonly path: string;
  /** Name that the site is told; a path with `/` where the folder's structure is kept. */
  readonly name: string;
  /** Bytes, as they were when the sending was planned. */
  readonly size: number;
}

/** A file that goes in one request. */
export interface SmallFile extends Source {
  /** SHA-256 in hex that it must have. @default none is known */
  readonly sha256?: string;
}

/** What is the same for a file and for a stream. */
export interface TransferOptions {
  /** SHA-256 in hex that the whole must have; it is announced, so that the site refuses anything else. */
  readonly sha256?: string;
  /** Kept with the file and shown in the list. */
  readonly description?: string;
  readonly signal?: AbortSignal;
  /** Called once, before any progress, with the bytes that the site has from an earlier run; not when it has none. */
  readonly onResumed?: (bytes: number) => void;
  /** Called with the bytes that were handed to the network so far, those of earlier runs included. It may go back after a cut. */
  readonly onProgress?: (sent: number) => void;
}

export interface FileOptions extends TransferOptions {
  /** Connections that one file may use at a time; a small file uses fewer. */
  readonly streams: number;
  /** Whether it was perhaps sent before, so that the site's list is asked first. A larger file knows by itself what was begun. @default false */
  readonly mayBeThere?: boolean;
  /** Whether a file is sent anew that has changed since it was partly sent: what the site has of it is removed. @default false: it is refused, and nothing is touched */
  readonly restart?: boolean;
}

export interface TogetherOptions extends Omit<TransferOptions, "sha256" | "onResumed" | "onProgress"> {
  /** By it the site knows the files again that are sent once more, and files none of them twice: 16 to 128 visible ASCII characters but `"` and `\\`. */
  readonly key: string;
}

/** Ends a sending with what its result is to be. */
export class SendError extends Error {
  readonly failure: SendFailure;

  constructor(failure: SendFailure) {
    super(failure.message);
    this.name = "SendError";
    this.failure = failure;
  }
}
