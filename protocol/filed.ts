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

/** A row of the list, as far as it is compared here. */
export interface FiledRow {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly checksums: Readonly<Record<string, string>>;
}

/** Rows that are asked for: the newest, so that what was just filed is among them. */
const rowsMost = 200;

/** Path and query of the question; the list finds rows by their digests too, which no name can break. */
export function filedQuestion({ sha256 }: SentFile): string {
  return `/api/uploads?${new URLSearchParams({ q: sha256, limit: String(rowsMost) }).toString()}`;
}

/**
 * The newest row of the answer that is this file: name, folder, size and digest are the same.
 */
export function findFiled(answer: unknown, file: SentFile): FiledRow | undefined {
  const list = (answer as { readonly uploads?: unknown } | null)?.uploads;
  if (!Array.isArray(list)) return undefined;
  const [name, folder] = [safeFileName(file.path), safeFolder(file.path)];
  return (list as readonly (Partial<FiledRow> & { readonly folder?: unknown })[]).find((row): row is FiledRow => {
    const isSame = row.name === name && (row.folder ?? null) === folder && row.size === file.size && row.checksums?.["sha256"] === file.sha256;
    return isSame && typeof row.id === "string";
  });
}
