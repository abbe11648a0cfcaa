/** Sessions in SQLite. */
import type Database from "libsql";
import type { ChecksumName, Checksums } from "../../protocol/checksum.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Session, SessionChange, Sessions } from "./sessions.ts";

/** A row: names as SQL writes them, and lists and objects as JSON. */
interface Row extends Pick<Session, "id" | "dialect" | "kind" | "state" | "data" | "base" | "total" | "name" | "metadata" | "announced"> {
  readonly refused: 0 | 1;
  readonly file_total: number | null;
  readonly file_key: string | null;
  readonly parts: string;
  readonly content_type: string;
  readonly digests: string;
  readonly checksums: string | null;
  readonly remote_address: string | null;
  readonly created_at: string;
  readonly expires_at: string;
  readonly expire_after: number;
}

const columns =
  "id, dialect, kind, state, data, base, total, file_total, file_key, parts, name, content_type, metadata, announced, digests, checksums, remote_address, created_at, expires_at, refused, expire_after";

const changeable: Readonly<Record<keyof SessionChange, string>> = {
  state: "state", refused: "refused", total: "total", checksums: "checksums", expiresAt: "expires_at", expireAfter: "expire_after",
  kind: "kind", parts: "parts", name: "name", contentType: "content_type", metadata: "metadata",
};

type Value = string | number | null;

/** Lists and objects are kept as JSON, yes and no as 1 and 0. */
function valueOf(value: unknown): Value {
  if (typeof value === "boolean") return Number(value);
  return typeof value === "object" && value !== null ? JSON.stringify(value) : (value as Value);
}

function fromRow(row: Row): Session {
  return {
    id: row.id,
    dialect: row.dialect,
    kind: row.kind,
    state: row.state,
    refused: row.refused === 1,
    data: row.data,
    base: row.base,
    total: row.total,
    fileTotal: row.file_total,
    fileKey: row.file_key,
    parts: JSON.parse(row.parts) as string[],
    name: row.name,
    contentType: row.content_type,
    metadata: row.metadata,
    announced: row.announced,
    digests: JSON.parse(row.digests) as ChecksumName[],
    checksums: row.checksums === null ? null : (JSON.parse(row.checksums) as Checksums),
    remoteAddress: row.remote_address,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    expireAfter: row.expire_after,
  };
}

export class SqliteSessions implements Sessions {
  readonly #prepare: (sql: string) => Database.Statement;
  readonly #commits: GroupCommit;

  /** @param prepare gives the statement of a text, prepared once */
  constructor(prepare: (sql: string) => Database.Statement, commits: GroupCommit) {
    this.#prepare = prepare;
    this.#commits = commits;
  }

  async insert(s: Session): Promise<void> {
    await this.#write(`INSERT INTO sessions (${columns}) VALUES (${"?, ".repeat(20)}?)`, [
      s.id, s.dialect, s.kind, s.state, s.data, s.base, s.total, s.fileTotal, s.fileKey, valueOf(s.parts), s.name, s.contentType,
      s.metadata, s.announced, valueOf(s.digests), valueOf(s.checksums), s.remoteAddress, s.createdAt, s.expiresAt, valueOf(s.refused), s.expireAfter,
    ]);
  }

  async update(id: string, change: SessionChange): Promise<void> {
    const entries = Object.entries(change) as [keyof SessionChange, unknown][];
    if (entries.length === 0) return;
    const set = entries.map(([key]) => `${changeable[key]} = ?`).join(", ");
    await this.#write(`UPDATE sessions SET ${set} WHERE id = ?`, [...entries.map(([, value]) => valueOf(value)), id]);
  }

  async remove(id: string): Promise<void> {
    await this.#write("DELETE FROM sessions WHERE id = ?", [id]);
  }

  async find(id: string): Promise<Session | null> {
    return this.#all("WHERE id = ?", [id])[0] ?? null;
  }

  async findFile(fileKey: string): Promise<Session | null> {
    return this.#all("WHERE file_key = ? AND kind = 'file' AND state <> 'complete' ORDER BY id LIMIT 1", [fileKey])[0] ?? null;
  }

  async findJoined(parts: readonly string[]): Promise<Session | null> {
    return this.#all("WHERE parts = ? AND refused = 0 ORDER BY id LIMIT 1", [valueOf(parts)])[0] ?? null;
  }

  async partsOf(data: string): Promise<readonly Session[]> {
    return this.#all("WHERE data = ? AND kind = 'part' ORDER BY base", [data]);
  }

  async partsFrom(remoteAddress: string): Promise<readonly Session[]> {
    return this.#all("WHERE remote_address = ? AND kind = 'part' AND file_key IS NULL AND state = 'receiving'", [remoteAddress]);
  }

  async open(): Promise<readonly Session[]> {
    return this.#all("WHERE state <> 'complete' AND refused = 0 ORDER BY id", []);
  }

  async expired(now: string): Promise<readonly Session[]> {
    return this.#all("WHERE expires_at <= ? ORDER BY id", [now]);
  }

  async #write(sql: string, values: readonly Value[]): Promise<void> {
    const statement = this.#prepare(sql);
    await this.#commits.run(() => void statement.run([...values]));
  }

  #all(where: string, values: readonly Value[]): Session[] {
    return (this.#prepare(`SELECT ${columns} FROM sessions ${where}`).all([...values]) as Row[]).map(fromRow);
  }
}
