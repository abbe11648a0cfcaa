/** The service's environment (docs/internals/contracts.md, section 3), read and checked at once. */
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, normalize } from "node:path";
import { showValue } from "../lib/problems.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Everything that the service is told from outside; never changes while it runs. */
export interface Config {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Absolute path of the store's root. */
  readonly store: string;
  /** Absolute path of the SQLite file. */
  readonly database: string;
  /** The secret that nginx sends with every request; never printed. */
  readonly secret: string;
  readonly logLevel: LogLevel;
  readonly fileMode: number;
  readonly directoryMode: number;
  /** Seconds. */
  readonly abandonedAfter: number;
  readonly siteName: string;
}

/** All that is wrong with the environment, one line each. */
export class ConfigProblems extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigProblems";
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** One variable: what it must look like, and its value; `undefined` when it does not. */
interface Variable<T> {
  readonly name: string;
  /** @default none: the variable must be set */
  readonly fallback?: string;
  /** What is allowed, with an example. */
  readonly allowed: string;
  readonly read: (text: string) => T | undefined;
}

const logLevels = ["debug", "info", "warn", "error"] as const;
const secretLength = 32;

function readMode(text: string): number | undefined {
  return /^[0-7]{3,4}$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

function readInteger(least: number): (text: string) => number | undefined {
  return (text) => {
    const value = Number(text);
    return /^\d{1,16}$/.test(text) && Number.isSafeInteger(value) && value >= least ? value : undefined;
  };
}

function readListen(text: string): { host: string; port: number } | undefined {
  const found = /^(?:\[(?<six>[0-9a-fA-F:]+)\]|(?<host>[A-Za-z0-9.-]+)):(?<port>\d{1,5})$/.exec(text);
  const host = found?.groups?.["six"] ?? found?.groups?.["host"];
  const port = Number(found?.groups?.["port"]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function readPath(text: string): string | undefined {
  return isAbsolute(text) && !text.includes("\0") ? normalize(text).replace(/(?<=.)\/$/, "") : undefined;
}

function readStore(text: string): string | undefined {
  const path = readPath(text);
  return path !== undefined && isDirectory(path) ? path : undefined;
}

function readDatabase(text: string): string | undefined {
  const path = readPath(text);
  if (path === undefined || !isDirectory(dirname(path))) return undefined;
  try {
    accessSync(dirname(path), constants.W_OK);
    return path;
  } catch {
    return undefined;
  }
}

/** The file's text is never shown, not even when it is wrong. */
function readSecret(text: string): string | undefined {
  try {
    const secret = readFileSync(text, "utf8").trim();
    return /^[0-9a-fA-F]+$/.test(secret) && secret.length >= secretLength ? secret : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads the environment.
 * @throws {ConfigProblems} with every problem at once
 */
export function readConfig(environment: Environment): Config {
  const problems: string[] = [];
  function take<T>(variable: Variable<T>): T {
    const got = environment[variable.name] ?? variable.fallback;
    if (got === undefined) {
      problems.push(`${variable.name}: not set; use ${variable.allowed}`);
      return undefined as T;
    }
    const value = variable.read(got);
    if (value === undefined) problems.push(`${variable.name}: not usable, got ${showValue(got)}; use ${variable.allowed}`);
    return value as T;
  }
  const listen = take({ name: "SLIPWAY_LISTEN", fallback: "127.0.0.1:8080", allowed: 'an address and a port ("0.0.0.0:8080")', read: readListen });
  const config = {
    ...listen,
    store: take({ name: "SLIPWAY_STORE", allowed: 'the absolute path of a directory that exists ("/srv/slipway")', read: readStore }),
    database: take({ name: "SLIPWAY_DATABASE", allowed: 'an absolute path in a directory that exists and can be written ("/var/lib/slipway/slipway.db")', read: readDatabase }),
    secret: take({ name: "SLIPWAY_SECRET_FILE", allowed: `the path of a readable file with at least ${secretLength} hex digits on one line`, read: readSecret }),
    logLevel: take({ name: "SLIPWAY_LOG_LEVEL", fallback: "info", allowed: `one of ${logLevels.join(", ")}`, read: (text) => logLevels.find((level) => level === text) }),
    fileMode: take({ name: "SLIPWAY_FILE_MODE", fallback: "0660", allowed: 'an octal mode ("0660")', read: readMode }),
    directoryMode: take({ name: "SLIPWAY_DIRECTORY_MODE", fallback: "2770", allowed: 'an octal mode ("2770")', read: readMode }),
    abandonedAfter: take({ name: "SLIPWAY_ABANDONED_AFTER", fallback: "86400", allowed: "a number of seconds, at least 1", read: readInteger(1) }),
    siteName: take({ name: "SLIPWAY_SITE_NAME", fallback: "slipway", allowed: "a text", read: (text) => (text.trim() === "" ? undefined : text) }),
  };
  if (problems.length > 0) throw new ConfigProblems(problems);
  return Object.freeze(config);
}
