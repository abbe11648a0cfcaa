/** The real service in this process, on a free port, with a store and a database of its own. */
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Config } from "../../app/config.ts";
import { makeLog } from "../../app/log.ts";
import { type RunningService, startService } from "../../app/server.ts";

export const secret = "5ec4e7".repeat(8);

export interface ServiceFolder {
  readonly root: string;
  readonly store: string;
  readonly database: string;
}

/** A new folder with what the service expects to be there. */
export function makeServiceFolder(): ServiceFolder {
  const root = mkdtempSync(join(tmpdir(), "slipway-service-"));
  const store = join(root, "store");
  mkdirSync(join(store, "incoming", "1"), { recursive: true });
  return { root, store, database: join(root, "records.db") };
}

export function makeConfig(folder: ServiceFolder, changes: Partial<Config> = {}): Config {
  return {
    host: "127.0.0.1",
    port: 0,
    store: folder.store,
    database: folder.database,
    secret,
    logLevel: "debug",
    fileMode: 0o660,
    directoryMode: 0o2770,
    abandonedAfter: 86_400,
    siteName: "test site",
    ...changes,
  };
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [key: string]: unknown;
}

export interface TestService extends RunningService {
  readonly folder: ServiceFolder;
  readonly log: readonly LogLine[];
  /** As nginx would ask: with the secret and a request id. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Stops the service and removes its folder. */
  remove(): Promise<void>;
}

export interface TestServiceOptions {
  readonly config?: Partial<Config>;
  /** @default a new one */
  readonly folder?: ServiceFolder;
}

export async function startTestService({ config, folder = makeServiceFolder() }: TestServiceOptions = {}): Promise<TestService> {
  const log: LogLine[] = [];
  const destination = { write: (line: string) => void log.push(JSON.parse(line) as LogLine) };
  const service = await startService(makeConfig(folder, config), makeLog("debug", destination));
  return {
    ...service,
    folder,
    log,
    ask(path, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has("X-Slipway-Secret")) headers.set("X-Slipway-Secret", secret);
      if (!headers.has("X-Request-ID")) headers.set("X-Request-ID", newRequestId());
      return fetch(service.url + path, { redirect: "manual", ...init, headers });
    },
    async remove() {
      await service.stop();
      rmSync(folder.root, { recursive: true, force: true });
    },
  };
}

export function newRequestId(): string {
  return randomBytes(16).toString("hex");
}

export function sha256(bytes: string | Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A file in incoming/, as nginx leaves it. */
export interface IncomingFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

let counter = 0;

/**
 * Writes a file into incoming/ as nginx does.
 * @param source path below incoming/; @default the next of ten digits
 */
export function writeIncoming(folder: ServiceFolder, bytes: string | Buffer, source?: string): IncomingFile {
  counter += 1;
  const path = join(folder.store, "incoming", source ?? `${counter % 10}/${String(counter).padStart(10, "0")}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes, { mode: 0o600 });
  return { path, size: Buffer.byteLength(bytes), sha256: sha256(bytes) };
}

/** Sets the time of the last write, in seconds before now. */
export function age(path: string, seconds: number): void {
  const time = Date.now() / 1000 - seconds;
  utimesSync(path, time, time);
}

/** The fields that nginx writes for a file. */
export function fieldsOf(file: IncomingFile, name: string, field = "file"): [string, string][] {
  return [
    [`${field}.name`, name],
    [`${field}.content_type`, "text/plain"],
    [`${field}.path`, file.path],
    [`${field}.size`, String(file.size)],
    [`${field}.sha256`, file.sha256],
  ];
}

/** The rewritten form, byte by byte as the module writes it, and its headers with nginx's count of the files. */
export function formBody(fields: readonly (readonly [string, string])[], boundary = "B0undary"): { body: string; headers: Record<string, string> } {
  const parts = fields.map(([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  return { body: `${parts.join("")}--${boundary}--\r\n`, headers: { "Content-Type": `multipart/form-data; boundary=${boundary}`, "X-Slipway-Files": String(fields.filter(([name]) => name.endsWith(".path")).length), "X-Slipway-Checksums": "sha256" } };
}

/** Posts a completion. */
export function complete(service: TestService, fields: readonly (readonly [string, string])[], headers: Record<string, string> = {}): Promise<Response> {
  const form = formBody(fields);
  return service.ask("/internal/complete", { method: "POST", body: form.body, headers: { ...form.headers, ...headers } });
}
