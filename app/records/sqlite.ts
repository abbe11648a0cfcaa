/** Records in SQLite. */
import Database from "libsql";
import type { Checksums } from "../../protocol/checksum.ts";
import { defaultSort, type ListSort } from "../../protocol/list-sort.ts";
import { GroupCommit } from "./group-commit.ts";
import { migrate } from "./migrations.ts";
import type { ListQuery, Records, RecordState, UploadRecord } from "./records.ts";
import { SqliteSessions } from "./sqlite-sessions.ts";

/** Milliseconds to wait for another program that has the database locked, a backup for instance. */
const busyTimeout = 5000;

/** Fewest hex digits that are taken for the beginning of a checksum in a search. */
const checksumPrefix = /^[0-9a-f]{8,128}$/;

interface Row {
  readonly id: string;
  readonly request_id: string;
  readonly source: string;
  readonly target: string;
  readonly field: string;
  readonly name: string;
  readonly folder: string | null;
  readonly content_type: string | null;
  readonly size: number;
  readonly checksums: string;
  readonly description: string | null;
  readonly remote_address: string | null;
  readonly modified: string;
  readonly state: RecordState;
  readonly received_at: string;
  readonly completed_at: string | null;
}

const columns =
  "id, request_id, source, target, field, name, folder, content_type, size, checksums, description, remote_address, modified, state, received_at, completed_at";

function fromRow(row: Row): UploadRecord {
  return {
    id: row.id,
    requestId: row.request_id,
    source: row.source,
    target: row.target,
    field: row.field,
    name: row.name,
    folder: row.folder,
    contentType: row.content_type,
    size: row.size,
    checksums: JSON.parse(row.checksums) as Checksums,
    description: row.description,
    remoteAddress: row.remote_address,
    modified: BigInt(row.modified),
    state: row.state,
    receivedAt: row.received_at,
    completedAt: row.completed_at,
  };
}

/** Text in the form that a search compares: one spelling of accents, one case. */
function fold(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

function searchText(record: UploadRecord): string {
  return fold(`${record.folder === null ? "" : `${record.folder}/`}${record.name}\n${record.description ?? ""}`);
}

function likePattern(text: string): string {
  return `%${fold(text).replace(/[\\%_]/g, "\\$&")}%`;
}

/** How an order reads in SQL. Ids grow with time; the searched text begins with the folded name. */
function orderOf(sort: ListSort): { readonly by: string; readonly after: string } {
  const isDown = sort.startsWith("-");
  const [sign, direction] = isDown ? ["<", " DESC"] : [">", ""];
  const key = sort.replace("-", "");
  if (key === "time") return { by: `id${direction}`, after: `id ${sign} ?` };
  const column = key === "name" ? "search" : "size";
  // Two with the same name or size stand in the order of their ids, or a page could miss one.
  return { by: `${column}${direction}, id${direction}`, after: `(${column}, id) ${sign} (SELECT ${column}, id FROM uploads WHERE id = ?)` };
}

class SqliteRecords implements Records {
  readonly sessions: SqliteSessions;
  readonly #database: Database.Database;
  readonly #commits: GroupCommit;
  /** Prepared once: a statement's memory comes back only when the garbage collector finds it. */
  readonly #statements = new Map<string, Database.Statement>();

  constructor(database: Database.Database) {
    this.#database = database;
    this.#commits = new GroupCommit(database);
    this.sessions = new SqliteSessions((sql) => this.#prepare(sql), this.#commits);
  }

  async insertReceived(records: readonly UploadRecord[]): Promise<void> {
    const insert = this.#prepare(`INSERT INTO uploads (${columns}, search) VALUES (${"?, ".repeat(16)}?)`);
    await this.#commits.run(() => {
      for (const r of records) {
        insert.run([
          r.id, r.requestId, r.source, r.target, r.field, r.name, r.folder, r.contentType, r.size, JSON.stringify(r.checksums),
          r.description, r.remoteAddress, String(r.modified), "received", r.receivedAt,
          null, searchText(r),
        ]);
      }
    });
  }

  async markComplete(ids: readonly string[], completedAt: string): Promise<void> {
    const update = this.#prepare("UPDATE uploads SET state = 'complete', completed_at = ? WHERE id = ? AND state = 'received'");
    await this.#commits.run(() => {
      for (const id of ids) {
        if (update.run([completedAt, id]).changes !== 1) throw new Error(`the record ${id} is no longer in state received`);
      }
    });
  }

  async remove(ids: readonly string[]): Promise<void> {
    const statement = this.#prepare("DELETE FROM uploads WHERE id = ?");
    await this.#commits.run(() => {
      for (const id of ids) statement.run([id]);
    });
  }

  async ofRequest(requestId: string): Promise<readonly UploadRecord[]> {
    return this.#all("WHERE request_id = ? ORDER BY id", [requestId]);
  }

  async ofSource(source: string): Promise<readonly UploadRecord[]> {
    return this.#all("WHERE source = ? AND state = 'complete' ORDER BY id DESC", [source]);
  }

  async unsettled(): Promise<readonly UploadRecord[]> {
    return this.#all("WHERE state = 'received' ORDER BY id", []);
  }

  async find(id: string): Promise<UploadRecord | null> {
    return this.#all("WHERE id = ?", [id])[0] ?? null;
  }

  async list({ limit, after, text, sort = defaultSort }: ListQuery): Promise<{ records: readonly UploadRecord[]; next: string | null }> {
    const order = orderOf(sort);
    const conditions = ["state = 'complete'"];
    const values: (string | number)[] = [];
    if (after !== null) {
      conditions.push(order.after);
      values.push(after);
    }
    if (text !== "") {
      const prefix = checksumPrefix.test(text.toLowerCase());
      conditions.push(`(search LIKE ? ESCAPE '\\'${prefix ? " OR checksums LIKE ?" : ""})`);
      values.push(likePattern(text), ...(prefix ? [`%:"${text.toLowerCase()}%`] : []));
    }
    const found = this.#all(`WHERE ${conditions.join(" AND ")} ORDER BY ${order.by} LIMIT ?`, [...values, limit + 1]);
    const records = found.slice(0, limit);
    return { records, next: found.length > limit ? (records.at(-1)?.id ?? null) : null };
  }

  async probe(): Promise<void> {
    const statement = this.#prepare(
      "INSERT INTO health (only, checked_at) VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET checked_at = excluded.checked_at",
    );
    await this.#commits.run(() => void statement.run([new Date().toISOString()]));
  }

  async close(): Promise<void> {
    this.#commits.flush();
    this.#database.close();
  }

  /** There are as many texts as there are shapes of queries: a handful. */
  #prepare(sql: string): Database.Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #all(where: string, values: readonly (string | number)[]): UploadRecord[] {
    const rows = this.#prepare(`SELECT ${columns} FROM uploads ${where}`).all([...values]) as Row[];
    return rows.map(fromRow);
  }
}

/**
 * Opens a SQLite file, which is made when it is not there; its folder must exist. Every commit is durable:
 * write-ahead log with `synchronous=FULL` (https://www.sqlite.org/pragma.html#pragma_synchronous).
 */
export function openSqlite(path: string): Records {
  const database = new Database(path);
  database.pragma(`busy_timeout = ${busyTimeout}`);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  migrate(database);
  return new SqliteRecords(database);
}
