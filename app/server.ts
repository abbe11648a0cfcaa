/** The running service: starting repairs what a kill left, stopping finishes what runs. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { makeIdSource } from "../protocol/id.ts";
import { buildAssets } from "../web/assets.ts";
import { makeApplication } from "./application.ts";
import type { Config } from "./config.ts";
import type { Log } from "./log.ts";
import { openSqlite } from "./records/sqlite.ts";
import type { StoreParts } from "./store/complete.ts";
import { startJanitor, startRounds } from "./store/janitor.ts";
import { sessionsFolder } from "./sessions/data.ts";
import { joinsAtOnce } from "./sessions/join.ts";
import { keepSessions, upkeepInterval } from "./sessions/upkeep.ts";
import { makeLocks } from "./store/locks.ts";
import { makeTurns } from "./store/turns.ts";
import { makeWriters } from "./store/writers.ts";
import { storePaths } from "./store/paths.ts";
import { makeDirectory } from "./store/durable.ts";
import { prepareStore } from "./store/probe.ts";
import { reconcileRecords, sweepFiles } from "./store/reconcile.ts";
import { version } from "./version.ts";

/** Milliseconds that whatever runs has to finish in when the service stops. */
export const stopTimeout = 10_000;

/** Milliseconds; nginx keeps idle connections for 60 s, and must be the one that closes them. */
const keepAliveTimeout = 75_000;
const headersTimeout = 20_000;
const requestTimeout = 60_000;

export interface RunningService {
  /** `http://host:port` that it answers at. */
  readonly url: string;
  /** Settles when files/ has been looked through once; never rejects. */
  readonly swept: Promise<void>;
  /** Stops accepting, finishes what runs (at most {@link stopTimeout}), closes the database. The process should end then. */
  stop(): Promise<void>;
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
  const { address, family, port: bound } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${bound}`;
}

/** Stops accepting and waits for the requests that run. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  await closed;
}

/** Whether all work has finished within {@link stopTimeout}. */
async function finishes(work: readonly Promise<void>[]): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), stopTimeout);
  });
  try {
    return await Promise.race([Promise.all(work).then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Starts the service.
 * @throws what keeps it from starting: the store or the database cannot be written, the port is taken
 */
export async function startService(config: Config, log: Log): Promise<RunningService> {
  const started = Date.now();
  const paths = storePaths(config.store);
  await prepareStore(paths, config.directoryMode);
  await makeDirectory(join(paths.incoming, sessionsFolder), config.directoryMode);
  const records = openSqlite(config.database);
  const { fileMode, directoryMode } = config;
  const store: StoreParts = { paths, records, locks: makeLocks(), writers: makeWriters(), joins: makeTurns(joinsAtOnce), fileMode, directoryMode, makeId: makeIdSource(), log };
  await reconcileRecords(store);
  const application = makeApplication({ config, store, assets: await buildAssets(), log });
  const handle = application.callback();
  const server = createServer({ keepAliveTimeout, headersTimeout, requestTimeout, maxHeaderSize: 32 * 1024 }, (request, response) => {
    if (!server.listening) response.setHeader("Connection", "close");
    // An answer that was under way when the service stopped leaves its connection open, and idle.
    response.once("finish", () => {
      if (!server.listening) server.closeIdleConnections();
    });
    void handle(request, response);
  });
  const url = await listen(server, config.host, config.port);
  log.info({ url, version, store: config.store, database: config.database }, "listening");
  const janitor = startJanitor(store, config.abandonedAfter);
  const upkeep = startRounds(log, "sessions could not be looked through", upkeepInterval, (signal) => keepSessions(store, signal));
  const stopping = new AbortController();
  const swept = sweepFiles(store, started, stopping.signal).catch((error: unknown) => log.error({ err: error }, "files/ could not be looked through"));
  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    stopping.abort();
    // All at once: what the next start does as well is ended, so that requests have the time.
    if (!(await finishes([close(server), store.joins.stop(), janitor.stop(), upkeep.stop(), swept]))) {
      // The database stays open for it: ending the process now is a kill, which the next start repairs.
      log.warn(`work was still running after ${stopTimeout} ms`);
      return;
    }
    await records.close();
    log.info("stopped");
  }
  return { url, swept, stop: () => (stopped ??= stop()) };
}
