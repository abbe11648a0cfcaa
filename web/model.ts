/** What the pages are made from: plain values, so that a page is a function of its model and nothing else. */
import type { ListSort } from "../protocol/list-sort.ts";
import type { Language } from "./strings/languages.ts";

/** How far an upload has come; see docs/internals/contracts.md and DESIGN's life of an upload. */
export type UploadState = "incoming" | "received" | "complete";

/** One upload as it is shown. */
export interface UploadView {
  /** ULID, 26 characters. */
  readonly id: string;
  /** File name as the client gave it, made safe by the service. */
  readonly name: string;
  /**
   * Where the file lay at its client, as in `photos/2026`.
   * @default none
   */
  readonly folder?: string | null;
  /** Bytes. */
  readonly size: number;
  readonly contentType: string | null;
  /** Algorithm (`sha256`) -> lower-case hex digest. */
  readonly checksums: Readonly<Record<string, string>>;
  readonly description: string | null;
  /** ISO 8601, UTC; null while the upload is not complete. */
  readonly completedAt: string | null;
  readonly state: UploadState;
}

/** An upload that is not complete, as it is shown. */
export interface UnderWayView {
  readonly name: string;
  /** Bytes; null while the client has not said. */
  readonly size: number | null;
  /** Bytes that have arrived. */
  readonly received: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
}

/** `GET /`. */
export interface HomeModel {
  /**
   * Language of the page.
   * @default English
   */
  readonly language?: Language;
  readonly siteName: string;
  /** Path that takes the multipart POST, as in `/upload`. */
  readonly uploadPath: string;
  /**
   * Address that tus uploads are made at.
   * @default none: the page sends forms
   */
  readonly tusPath?: string | null;
  /** Bytes; 0 is no limit. */
  readonly maxFileSize: number;
  /** Algorithms computed for every upload, as in `["sha256"]`. */
  readonly checksums: readonly string[];
  /**
   * Host and port that the page was asked for at, for the commands that it shows.
   * @default `HOST`
   */
  readonly host?: string;
}

/** `GET /list`. */
export interface ListModel {
  /**
   * Language of the page.
   * @default English
   */
  readonly language?: Language;
  readonly siteName: string;
  /** In the order of {@link sort}. */
  readonly uploads: readonly UploadView[];
  /** Id to pass as `after` for the next page; null on the last page. */
  readonly next: string | null;
  /** What was searched for; empty when nothing was. */
  readonly query: string;
  /**
   * What stands first.
   * @default the newest
   */
  readonly sort?: ListSort;
  /**
   * Uploads that are still arriving.
   * @default none
   */
  readonly underWay?: readonly UnderWayView[];
  /** Ids of the uploads to point out, from `?new=`. */
  readonly newIds: readonly string[];
  /**
   * The `after` of this page; when given, a link back to the newest is shown.
   * @default none: this is the first page
   */
  readonly after?: string | null;
}

/** Any error, with the sentences of protocol/errors.ts. */
export interface ErrorModel {
  /**
   * Language of the page.
   * @default English
   */
  readonly language?: Language;
  /** HTTP status, 400 to 599. */
  readonly status: number;
  /** Stable code, as in `too_large`. */
  readonly code: string;
  /** What was wrong and what is allowed. */
  readonly message: string;
  /** What to do. */
  readonly hint: string;
  /**
   * Id of the request in the logs.
   * @default none: a static page does not know it
   */
  readonly requestId?: string;
}
