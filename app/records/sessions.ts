/** Uploads that arrive in more than one request, as they are remembered between the requests. */
import type { ChecksumName, Checksums } from "../../protocol/checksum.ts";

/** The protocol that a session speaks. */
export type DialectName = "tus" | "resumable";

/**
 * `whole`: a file. `part`: a piece that becomes part of a file by tus concatenation. `file`: the file that parts which
 * know their place are written into. `joined`: a file that is put together from parts that did not.
 */
export type SessionKind = "whole" | "part" | "file" | "joined";

/**
 * `receiving`: bytes may come. `joining`: all have come, and parts are being put together. `complete`: there is a
 * complete record of the file whose request id is the session's.
 */
export type SessionState = "receiving" | "joining" | "complete";

/** One upload session. How much has arrived is not here: the module's state file beside the data alone knows. */
export interface Session {
  /** ULID; the last part of the upload's address, and not to be guessed. */
  readonly id: string;
  readonly dialect: DialectName;
  readonly kind: SessionKind;
  readonly state: SessionState;
  /** Whether the joined file was not what had been announced: nothing is left but this, so that whoever asks is told why. */
  readonly refused: boolean;
  /** Path of the data below incoming/; a part that knows its place has that of its file. */
  readonly data: string;
  /** Where in the data the session's first byte lies. */
  readonly base: number;
  /** Bytes of the session; null while it is not known. */
  readonly total: number | null;
  /** Bytes of the file that the data becomes, where that is not {@link total}. */
  readonly fileTotal: number | null;
  /** The client's name of the file that parts belong to. */
  readonly fileKey: string | null;
  /** Ids of the parts that the session was declared the whole of, in order. */
  readonly parts: readonly string[];
  readonly name: string;
  readonly contentType: string;
  /** What the client gave as metadata, as it gave it. */
  readonly metadata: string;
  /** The digest of the whole file that the client announced: a `Repr-Digest` value. */
  readonly announced: string;
  /** Checksums that the site asked for when the session began. */
  readonly digests: readonly ChecksumName[];
  /** Digests of a `file` whose bytes are all there while its parts have not been declared final. */
  readonly checksums: Checksums | null;
  readonly remoteAddress: string | null;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** When it ends, as of the last body that has ended: ISO 8601, UTC. */
  readonly expiresAt: string;
  /** Seconds that it waits for its next byte; 0 where only {@link expiresAt} counts, as in rows of older versions. */
  readonly expireAfter: number;
}

/** What of a session changes. */
export type SessionChange = Partial<Pick<Session, "state" | "refused" | "total" | "checksums" | "expiresAt" | "expireAfter" | "kind" | "parts" | "name" | "contentType" | "metadata">>;

/** A database of sessions. What a promise has settled is durable. */
export interface Sessions {
  insert(session: Session): Promise<void>;
  update(id: string, change: SessionChange): Promise<void>;
  remove(id: string): Promise<void>;
  find(id: string): Promise<Session | null>;
  /** The `file` session of a client's name for a file that is not complete. */
  findFile(fileKey: string): Promise<Session | null>;
  /** The session that was put together from these parts, or is going to be. */
  findJoined(parts: readonly string[]): Promise<Session | null>;
  /** Parts that are written into a path. */
  partsOf(data: string): Promise<readonly Session[]>;
  /** Unfinished parts without a place in a file that an address has begun. */
  partsFrom(remoteAddress: string): Promise<readonly Session[]>;
  /** Sessions that are neither complete nor refused, oldest first. */
  open(): Promise<readonly Session[]>;
  /** Sessions of any state whose time is over. */
  expired(now: string): Promise<readonly Session[]>;
}
