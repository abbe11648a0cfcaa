import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import Database from "libsql";
import { expect } from "vitest";
import { type LocalSite, startLocalSite } from "../../scripts/local/site.ts";
import type { SiteProps } from "../../stacks/props.ts";
import { type Target, until } from "./e2e-client.ts";
import { filesBelow, remove, temporaryFolder } from "./e2e-files.ts";

/** Says why a site of host processes cannot be started here, or undefined when it can. */
export function withoutLocal(): string | undefined {
  if (process.env["CI"] === "true") return undefined;
  const found = execaSync("nginx", ["-v"], { reject: false, env: { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` } });
  if (found.exitCode !== 0) return "nginx is not installed (npm run setup -- --local)";
  return existsSync("/usr/share/nginx/src") ? undefined : "nginx-dev is not installed (npm run setup -- --local)";
}

/** A row of the table of uploads, as far as tests compare it. */
export interface Row {
  readonly id: string;
  readonly target: string;
  readonly checksums: Readonly<Record<string, string>>;
  readonly size: number;
  readonly state: string;
}

/** What a site keeps: paths of the files in each half of the store, and the rows of the database. */
export interface Kept {
  readonly incoming: readonly string[];
  readonly files: readonly string[];
  readonly rows: readonly Row[];
}

/** A whole site as host processes, for one test file. */
export interface LocalTestSite extends Target {
  readonly site: LocalSite;
  /** `uid:gid` that everything in the store must have. */
  readonly owner: string;
  kept(): Kept;
  /** Waits a moment for what is removed after an answer, then fails if anything of any upload is there. */
  expectNothingKept(): Promise<void>;
  /** Does something while the database takes no record of an upload. */
  withBrokenRecords(work: () => Promise<unknown>): Promise<void>;
  /** Ends the time of all sessions, as if they had waited for long; the service removes them in its next round. */
  expireSessions(): void;
  /** Has the rows of sessions say that their time is over, as those of bodies that last longer than the site waits. */
  outlastRows(): void;
  /** Removes all uploads, files and rows, between two tests. */
  clear(): void;
  stop(): Promise<void>;
}

const outlast = "UPDATE sessions SET expires_at = '2000-01-01T00:00:00.000Z'";

/** Starts a site with these props in a folder of its own, or in one given. */
export async function startTestSite(props: SiteProps, folder?: string): Promise<LocalTestSite> {
  const root = folder ?? temporaryFolder();
  mkdirSync(root, { recursive: true });
  const site = await startLocalSite({ site: { name: "e2e", ...props }, root }).catch((error: unknown) => {
    if (folder === undefined) remove(root);
    throw error;
  });
  if (site.caFile === undefined) throw new Error("a test site has a CA of its own");
  const incoming = join(site.store, "incoming");
  const files = join(site.store, "files");

  const kept = (): Kept => ({ incoming: existsSync(incoming) ? filesBelow(incoming) : [], files: filesBelow(files), rows: rows(site.layout.database) });
  const nothing: Kept = { incoming: [], files: [], rows: [] };
  return {
    url: site.url,
    ca: readFileSync(site.caFile, "utf8"),
    site,
    owner: process.getuid?.() === 0 ? `${site.settings.storage.uid}:${site.settings.storage.gid}` : `${process.getuid?.()}:${process.getgid?.()}`,
    kept,
    async expectNothingKept() {
      await until("nothing is kept", () => JSON.stringify(kept()) === JSON.stringify(nothing)).catch(() => undefined);
      expect(kept()).toEqual(nothing);
    },
    async withBrokenRecords(work) {
      const run = (sql: string): unknown => withDatabase(site.layout.database, (database) => database.exec(sql));
      run("CREATE TRIGGER broken BEFORE INSERT ON uploads BEGIN SELECT RAISE(ABORT, 'broken by a test'); END");
      try {
        await work();
      } finally {
        run("DROP TRIGGER broken");
      }
    },
    expireSessions() {
      withDatabase(site.layout.database, (database) => database.exec(`${outlast}, expire_after = 0`));
    },
    outlastRows() {
      withDatabase(site.layout.database, (database) => database.exec(outlast));
    },
    clear() {
      for (const path of kept().incoming) rmSync(join(incoming, path), { force: true });
      for (const day of readdirSync(files)) rmSync(join(files, day), { recursive: true });
      withDatabase(site.layout.database, (database) => database.exec("DELETE FROM uploads; DELETE FROM sessions"));
    },
    async stop() {
      await site.stop();
      if (folder === undefined) remove(root);
    },
  };
}

function withDatabase<T>(path: string, use: (database: Database.Database) => T): T {
  const database = new Database(path);
  try {
    database.pragma("busy_timeout = 5000");
    return use(database);
  } finally {
    database.close();
  }
}

const rows = (path: string): Row[] =>
  withDatabase(path, (database) =>
    (database.prepare("SELECT id, target, checksums, size, state FROM uploads ORDER BY id").all() as (Omit<Row, "checksums"> & { checksums: string })[]).map((row) => ({
      ...row,
      checksums: JSON.parse(row.checksums) as Record<string, string>,
    })),
  );
