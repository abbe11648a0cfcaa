/** What is remembered of uploads, behind one interface for every database. */
import type { Checksums } from "../../protocol/checksum.ts";
import type { ListSort } from "../../protocol/list-sort.ts";
import type { Sessions } from "./sessions.ts";

/**
 * `received`: durable in incoming/, on its way to files/. `complete`: in files/, and the client may be told so.
 */
export type RecordState = "received" | "complete";

/** One upload. */
export interface UploadRecord {
  /** ULID. */
  readonly id: string;
  /** Request that brought it, or `key:` and the client's own key of it; with {@link source} the key under which a repeated completion finds it. */
  readonly requestId: string;
  /** Path below incoming/. Names are used again later: never a key alone. */
  readonly source: string;
  /** Path below files/: `<YYYY-MM-DD>/<id>/<name>`. */
  readonly target: string;
  /** Name of the form's file input. */
  readonly field: string;
  /** Stored file name. */
  readonly name: string;
  /** Where the file lay at its client, `/` between the folders; for people to read, never a path of ours. */
  readonly folder: string | null;
  readonly contentType: string | null;
  /** Bytes. */
  readonly size: number;
  readonly checksums: Checksums;
  readonly description: string | null;
  /** Address of the client. */
  readonly remoteAddress: string | null;
  /** Last write to the file, nanoseconds since 1970: tells it from a later one under the same source. */
  readonly modified: bigint;
  readonly state: RecordState;
  /** ISO 8601, UTC. */
  readonly receivedAt: string;
  /** ISO 8601, UTC. */
  readonly completedAt: string | null;
}

export interface ListQuery {
  /** Most records in the answer. */
  readonly limit: number;
  /** Only records that come after the one with this id. */
  readonly after: string | null;
  /** Text in the name or the description, any case; or the beginning of a checksum. Empty finds all. */
  readonly text: string;
  /**
   * What comes first.
   * @default the newest
   */
  readonly sort?: ListSort;
}

/** A database of uploads. What a promise has settled is durable. */
export interface Records {
  /** The uploads that are still arriving, in the same database. */
  readonly sessions: Sessions;
  /** Adds the records of one form in state `received`: all or none. */
  insertReceived(records: readonly UploadRecord[]): Promise<void>;
  /**
   * Settles the records of one form: all or none.
   * @throws when one of them is not in state `received`
   */
  markComplete(ids: readonly string[], completedAt: string): Promise<void>;
  /** Forgets records: all or none. */
  remove(ids: readonly string[]): Promise<void>;
  /** Records that a request brought, in the order of the form. */
  ofRequest(requestId: string): Promise<readonly UploadRecord[]>;
  /** Complete records of a path below incoming/, newest first. */
  ofSource(source: string): Promise<readonly UploadRecord[]>;
  /** Records in state `received`, oldest first. */
  unsettled(): Promise<readonly UploadRecord[]>;
  /** A record in any state. */
  find(id: string): Promise<UploadRecord | null>;
  /** Complete uploads in the order asked for, and the id to pass as `after` for the next page. */
  list(query: ListQuery): Promise<{ readonly records: readonly UploadRecord[]; readonly next: string | null }>;
  /** Writes something, to show that the database can be written. */
  probe(): Promise<void>;
  close(): Promise<void>;
}
