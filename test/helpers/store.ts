/** The service's store without its HTTP side: real files, a real database. */
import { statSync } from "node:fs";
import { makeIdSource } from "../../protocol/id.ts";
import { makeLog } from "../../app/log.ts";
import type { UploadRecord } from "../../app/records/records.ts";
import { openSqlite } from "../../app/records/sqlite.ts";
import type { StoreParts } from "../../app/store/complete.ts";
import { joinsAtOnce } from "../../app/sessions/join.ts";
import { makeLocks } from "../../app/store/locks.ts";
import { makeTurns } from "../../app/store/turns.ts";
import { makeWriters } from "../../app/store/writers.ts";
import { storePaths, targetPath } from "../../app/store/paths.ts";
import { prepareStore } from "../../app/store/probe.ts";
import type { IncomingFile, LogLine, ServiceFolder } from "./service.ts";

export interface TestStore extends StoreParts {
  readonly lines: readonly LogLine[];
}

export async function openStore(folder: ServiceFolder): Promise<TestStore> {
  const paths = storePaths(folder.store);
  await prepareStore(paths, 0o2770);
  const lines: LogLine[] = [];
  const log = makeLog("debug", { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) });
  const parts = { paths, records: openSqlite(folder.database), locks: makeLocks(), writers: makeWriters(), joins: makeTurns(joinsAtOnce), fileMode: 0o660, directoryMode: 0o2770, maxFileSize: 0, log, lines };
  return { ...parts, makeId: makeIdSource() };
}

const makeId = makeIdSource();

/** The record of a file in incoming/ that was checked and not renamed yet. */
export function receivedRecord(folder: ServiceFolder, file: IncomingFile, changes: Partial<UploadRecord> = {}): UploadRecord {
  const now = new Date();
  const id = makeId();
  return {
    id,
    requestId: `request-${id}`,
    source: file.path.slice(`${folder.store}/incoming/`.length),
    target: targetPath(now, id, "name.bin"),
    field: "file",
    name: "name.bin",
    folder: null,
    contentType: null,
    size: file.size,
    checksums: { sha256: file.sha256 },
    description: null,
    remoteAddress: null,
    modified: statSync(file.path, { bigint: true }).mtimeNs,
    state: "received",
    receivedAt: now.toISOString(),
    completedAt: null,
    ...changes,
  };
}
