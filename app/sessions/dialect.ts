/** What a protocol of uploads in several requests is to the routes: a dialect over the one model of sessions. */
import type { ErrorCode } from "../../protocol/errors.ts";
import type { WrittenForm } from "../../protocol/written-body.ts";
import type { Session } from "../records/sessions.ts";
import type { StoreParts } from "../store/complete.ts";
import type { UploadTerms } from "../upload-terms.ts";

/** A client's request, as nginx describes it. */
export interface SessionRequest {
  /** The method, with `X-HTTP-Method-Override` obeyed. */
  readonly method: string;
  /** Path of the address, percent-encoded as the client wrote it. */
  readonly path: string;
  /** A header of the client; empty when there is none. */
  readonly header: (name: string) => string;
  /** Bytes of the body; null when the client does not say. */
  readonly bodyLength: number | null;
  readonly requestId: string;
  readonly remoteAddress: string | null;
  readonly terms: UploadTerms;
  /** Seconds that an unfinished upload waits for its next byte. */
  readonly expireAfter: number;
}

/** Where nginx is to write a body. */
export interface WritePlace {
  /** Id of the session; null for a file of its own that ends with the request. */
  readonly session: string | null;
  /** Absolute path of the data; null for a new file. */
  readonly data: string | null;
  /** Bytes from the beginning of the data. */
  readonly offset: number;
  /** Bytes of the whole data; null when it is not known. */
  readonly length: number | null;
  /** Digests that nginx compares the body with, as `upload_raw_digest` takes them. @default none */
  readonly digest?: string;
}

export interface DialectAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
}

/** What becomes of a request. Deciding changes nothing; running it does. */
export type Plan =
  | { readonly kind: "write"; readonly open: () => Promise<WritePlace> }
  | { readonly kind: "answer"; readonly give: () => Promise<DialectAnswer> };

/** What nginx has written of a body. */
export type WrittenBody = Omit<WrittenForm, "session">;

export interface Dialect {
  /** Headers of every answer, errors included. */
  readonly headers: (request: SessionRequest) => Readonly<Record<string, string>>;
  /** Whether a page of another origin may read these headers. */
  readonly exposed: readonly string[];
  /**
   * Decides on a request before its body is read.
   * @throws {Refusal}
   */
  readonly decide: (store: StoreParts, request: SessionRequest) => Promise<Plan>;
  /**
   * Answers when nginx has written a body.
   * @param session null for a body that is a file of its own
   * @throws {Refusal}
   */
  readonly written: (store: StoreParts, request: SessionRequest, session: Session | null, body: WrittenBody) => Promise<DialectAnswer>;
  /** What a body is that differs from a digest that came with it. */
  readonly mismatch: (request: SessionRequest) => ErrorCode;
  /** Whether the request begins a session, so that its client learns the address from the answer alone. */
  readonly creates: (request: SessionRequest) => boolean;
}
