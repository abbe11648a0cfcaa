/**
 * Whether a file is in the site's list. Whoever lost the answer to an upload asks so before it sends the file again: it
 * may have been filed all the same, and would be there twice.
 */
import { safeFileName, safeFolder } from "./file-name.ts";

/** A file as its sender knows it. */
export interface SentFile {
  /** Name, with the folders before it where the site was told of them. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** A row of an answer, as far as it is looked at here. */
interface Row {
  readonly id?: unknown;
  readonly name?: unknown;
  readonly folder?: unknown;
  readonly size?: unknown;
  readonly checksums?: { readonly sha256?: unknown };
}

/** Rows that are asked for: the newest, so that what was just filed is among them. */
const rowsMost = 200;

/** Path and query of the question; the list finds rows by their digests too, which no name can break. */
export function filedQuestion({ sha256 }: SentFile): string {
  return `/api/uploads?${new URLSearchParams({ q: sha256, limit: String(rowsMost) }).toString()}`;
}

/** Id of the newest record in the answer that is this file: name, folder, size and digest are the same. */
export function findFiled(answer: unknown, file: SentFile): string | undefined {
  const list = (answer as { readonly uploads?: unknown } | null)?.uploads;
  if (!Array.isArray(list)) return undefined;
  const [name, folder] = [safeFileName(file.path), safeFolder(file.path)];
  const isSame = (row: Row): boolean => row.name === name && (row.folder ?? null) === folder && row.size === file.size && row.checksums?.sha256 === file.sha256;
  const id = (list as readonly Row[]).find(isSame)?.id;
  return typeof id === "string" ? id : undefined;
}
