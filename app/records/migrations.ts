/** The SQLite schema, step by step. A step that has been released is never changed; a new one is added. */
import type { Database } from "libsql";
import { inTransaction } from "./transaction.ts";

interface Migration {
  readonly what: string;
  readonly sql: string;
}

/** The number of a migration is its place in the list, from 1, kept in SQLite's `user_version`. */
export const migrations: readonly Migration[] = [
  {
    what: "uploads, and a row for the health check to write",
    sql: `
      CREATE TABLE uploads (
        id TEXT PRIMARY KEY,
        request_id TEXT NOT NULL,
        source TEXT NOT NULL,
        target TEXT NOT NULL UNIQUE,
        field TEXT NOT NULL,
        name TEXT NOT NULL,
        content_type TEXT,
        size INTEGER NOT NULL CHECK (size >= 0),
        checksums TEXT NOT NULL,
        description TEXT,
        remote_address TEXT,
        modified TEXT NOT NULL,
        search TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('received', 'complete')),
        received_at TEXT NOT NULL,
        completed_at TEXT CHECK ((state = 'complete') = (completed_at IS NOT NULL)),
        UNIQUE (request_id, source)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX unsettled ON uploads (id) WHERE state = 'received';
      CREATE TABLE health (only INTEGER PRIMARY KEY CHECK (only = 1), checked_at TEXT NOT NULL) STRICT;
    `,
  },
  {
    what: "sessions: uploads that arrive in more than one request; and a way to a file that came before",
    sql: `
      CREATE INDEX upload_source ON uploads (source);
      CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        dialect TEXT NOT NULL CHECK (dialect IN ('tus', 'resumable')),
        kind TEXT NOT NULL CHECK (kind IN ('whole', 'part', 'file', 'joined')),
        state TEXT NOT NULL CHECK (state IN ('receiving', 'joining', 'complete')),
        data TEXT NOT NULL,
        base INTEGER NOT NULL CHECK (base >= 0),
        total INTEGER CHECK (total >= 0),
        file_total INTEGER CHECK (file_total >= 0),
        file_key TEXT,
        parts TEXT NOT NULL,
        name TEXT NOT NULL,
        content_type TEXT NOT NULL,
        metadata TEXT NOT NULL,
        announced TEXT NOT NULL,
        digests TEXT NOT NULL,
        checksums TEXT,
        remote_address TEXT,
        created_at TEXT NOT NULL,
        expires_at TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX open_sessions ON sessions (id) WHERE state <> 'complete';
      CREATE INDEX session_expiry ON sessions (expires_at);
      CREATE INDEX session_data ON sessions (data);
      CREATE INDEX session_parts ON sessions (parts) WHERE parts <> '[]';
      CREATE UNIQUE INDEX session_file ON sessions (file_key) WHERE kind = 'file' AND state <> 'complete';
    `,
  },
  {
    what: "the folder that a file lay in at its client",
    sql: "ALTER TABLE uploads ADD COLUMN folder TEXT;",
  },
  {
    what: "the list in the order of names and sizes",
    sql: `
      CREATE INDEX uploads_by_name ON uploads (search, id) WHERE state = 'complete';
      CREATE INDEX uploads_by_size ON uploads (size, id) WHERE state = 'complete';
    `,
  },
  {
    what: "sessions whose joined file was not what had been announced",
    sql: "ALTER TABLE sessions ADD COLUMN refused INTEGER NOT NULL DEFAULT 0 CHECK (refused IN (0, 1));",
  },
  {
    what: "how long sessions wait for their next byte",
    sql: "ALTER TABLE sessions ADD COLUMN expire_after INTEGER NOT NULL DEFAULT 0 CHECK (expire_after >= 0);",
  },
];

function version(database: Database): number {
  const [row] = database.pragma("user_version") as [{ user_version: number }];
  return row.user_version;
}

/**
 * Brings a database up to the newest schema; each step is one transaction.
 * @throws when the database was written by a newer version
 */
export function migrate(database: Database): void {
  const current = version(database);
  if (current > migrations.length) {
    throw new Error(
      `SLIPWAY_DATABASE: schema ${current} is newer than this service knows (${migrations.length}); start the newer service, or restore a backup`,
    );
  }
  for (const [index, { sql }] of migrations.entries()) {
    if (index < current) continue;
    inTransaction(database, () => {
      database.exec(sql);
      database.exec(`PRAGMA user_version = ${index + 1}`);
    });
  }
}
