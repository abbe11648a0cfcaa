import type { Database } from "libsql";

/**
 * Runs work in one write transaction. libsql's own helper rolls back without looking, so that a commit refused
 * for a full disk is reported as "no transaction is active"; this one lets the first error through.
 */
export function inTransaction(database: Database, work: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    work();
    database.exec("COMMIT");
  } catch (error) {
    if (database.inTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
