/** Names of uploaded files: the user's own, made safe for a file system and for a header. */
import { plainLine } from "./text.ts";

/** Most bytes of a name (NAME_MAX of Linux file systems). */
export const maxNameBytes = 255;

/** What a file is called when nothing of its name is left. */
export const unnamed = "unnamed";

/** One or two short extensions, as in `.pdf` and `.tar.gz`. */
const extensions = /(?:\.[^.\s]{1,16}){1,2}$/u;

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** Longest beginning of whole code points with at most so many bytes. */
function cut(text: string, bytes: number): string {
  let used = 0;
  let kept = "";
  for (const character of text) {
    used += byteLength(character);
    if (used > bytes) break;
    kept += character;
  }
  return kept;
}

/** The last part of a path that has one, with `/` or `\` between the parts. */
function lastPart(path: string): string {
  return path.split(/[/\\]/).filter((part) => part !== "").at(-1) ?? "";
}

/**
 * The name that a file is stored under: the user's, without path parts, control and bidirectional control
 * characters and leading dots, at most {@link maxNameBytes} long with its extension kept, and never empty.
 */
export function safeFileName(name: string): string {
  const bare = lastPart(plainLine(name)).replace(/^[.\s]+/u, "").trimEnd();
  if (bare === "") return unnamed;
  if (byteLength(bare) <= maxNameBytes) return bare;
  const extension = extensions.exec(bare)?.[0] ?? "";
  const stem = bare.slice(0, bare.length - extension.length);
  const kept = cut(stem, maxNameBytes - byteLength(extension)).trimEnd();
  return kept === "" ? cut(bare, maxNameBytes) : kept + extension;
}

/** Most bytes of a folder (a quarter of Linux's PATH_MAX leaves room for where it is put). */
const maxFolderBytes = 1024;

/**
 * The folder that a client says a file lies in, `/` between its parts, for people to read and for programs to make
 * again: without control and bidirectional control characters, without anything that leads out of it (`..`, an
 * absolute path), each part at most {@link maxNameBytes} long. `null` when the name has none, or one that is too long.
 * A `\` is no separator: old browsers send the whole path of their own disk with it, which is nobody's business.
 */
export function safeFolder(name: string): string | null {
  const parts = plainLine(name).split("/").slice(0, -1).map((part) => part.trim());
  const kept = parts.filter((part) => part !== "" && part !== "." && part !== "..");
  if (kept.length === 0 || kept.some((part) => part.includes("\\") || byteLength(part) > maxNameBytes)) return null;
  const folder = kept.join("/");
  return byteLength(folder) <= maxFolderBytes ? folder : null;
}

/** Percent-encoding of RFC 8187's attr-char: what encodeURIComponent leaves open beyond it is closed. */
function encodeExtended(text: string): string {
  return encodeURIComponent(text).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * Value of a `Content-Disposition` header that saves under a name (RFC 6266, RFC 8187): an ASCII form for old
 * clients and, where that differs, the exact one. The name must come from {@link safeFileName}.
 */
export function attachment(name: string): string {
  const ascii = name.replace(/[^\x20-\x7E]/gu, "_").replace(/["\\%]/g, "_");
  const plain = `attachment; filename="${ascii}"`;
  return ascii === name ? plain : `${plain}; filename*=UTF-8''${encodeExtended(name)}`;
}
