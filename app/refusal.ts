/** Errors that are answered with a row of the error table. */
import { type ErrorCode, errorKinds } from "../protocol/errors.ts";

/** A request that is refused, with the row of the table that says why. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  /** Headers that the answer has beside those of every error. */
  readonly headers: Readonly<Record<string, string>>;

  /**
   * @param message a sentence more exact than the row's, shown to the client
   * @default the sentence of the row
   */
  constructor(code: ErrorCode, message?: string, options: ErrorOptions & { readonly headers?: Readonly<Record<string, string>> } = {}) {
    super(message ?? errorKinds[code].message, options);
    this.name = "Refusal";
    this.code = code;
    this.headers = options.headers ?? {};
  }
}

/** Codes of Node's file system errors and of SQLite's that say what to tell the client. */
const systemErrors: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: "disk_full",
  EDQUOT: "disk_full",
  EFBIG: "disk_full",
  SQLITE_FULL: "disk_full",
  EXDEV: "store_split",
  EROFS: "unavailable",
  EACCES: "unavailable",
  EPERM: "unavailable",
  EIO: "unavailable",
  ESTALE: "unavailable",
  EMFILE: "unavailable",
  ENFILE: "unavailable",
  ENOENT: "unavailable",
  ENOTDIR: "unavailable",
};

const databaseError = /^SQLITE_(?:BUSY|LOCKED|READONLY|IOERR|CANTOPEN|CORRUPT|NOTADB|FULL)/;

/** `code` of a system or database error. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Koa's and its router's own errors carry a status; those below 500 are about the request. */
function isClientError(error: unknown): boolean {
  return error instanceof Error && "status" in error && typeof error.status === "number" && error.status >= 400 && error.status < 500;
}

/** What an exception means to the client: itself, a known trouble of disk or database, or an internal error. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (isClientError(error)) return new Refusal("bad_request", undefined, { cause: error });
  const code = systemCode(error) ?? "";
  const known = systemErrors[code] ?? (databaseError.test(code) ? "unavailable" : "internal");
  return new Refusal(known, undefined, { cause: error });
}
