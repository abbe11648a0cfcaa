/** Resumable Uploads for HTTP (draft-ietf-httpbis-resumable-upload): its words, without any transport. */
import { parseItem } from "./structured-field.ts";

/** Type of the body of an append (section "Upload Append"); versions of the draft before 6 asked for none. */
export const partialUploadType = "application/partial-upload";

/** Values of Upload-Draft-Interop-Version that are spoken: clients send the draft's number of wire changes, not its own. */
export const interopVersions: readonly number[] = [5, 6, 7, 8];

/** First interop version whose appends have a type of their own. */
export const firstTypedVersion = 6;

/** Headers of requests and answers that a page of another origin may use. */
export const resumableHeaders = ["Upload-Offset", "Upload-Complete", "Upload-Length", "Upload-Limit", "Upload-Draft-Interop-Version", "Accept-Patch"] as const;

/** A field that is a Boolean (RFC 9651 section 3.3.6); `undefined` for anything else. */
export function parseBoolean(text: string): boolean | undefined {
  const item = parseItem(text);
  return item?.kind === "boolean" ? item.value : undefined;
}

/** A field that is a number of bytes, an Integer that is not negative (RFC 9651 section 3.3.1); `undefined` for anything else. */
export function parseLength(text: string): number | undefined {
  const item = parseItem(text);
  return item?.kind === "integer" && item.value >= 0 ? item.value : undefined;
}

export const writeBoolean = (value: boolean): string => (value ? "?1" : "?0");

/**
 * `Upload-Limit`: what the server takes.
 * @param maxSize bytes; 0 is no limit
 * @param maxAge seconds
 */
export function uploadLimit(maxSize: number, maxAge: number): string {
  return [...(maxSize === 0 ? [] : [`max-size=${maxSize}`]), `max-age=${maxAge}`].join(", ");
}

/** Last part of an upload resource's address: what the site calls a file never looks like it. */
const resourceName = /\/~([0-9A-Z]{26})$/;

/** The id in the address of an upload resource; `undefined` for any other address. */
export function resourceId(path: string): string | undefined {
  return resourceName.exec(path)?.[1];
}

/** Address of an upload resource. */
export function resourceAddress(uploadPath: string, id: string): string {
  return `${uploadPath.replace(/\/$/, "")}/~${id}`;
}

const quoted = /;\s*filename\s*=\s*"((?:[^"\\]|\\.)*)"/i;
const token = /;\s*filename\s*=\s*([^\s";]+)/i;
const extended = /;\s*filename\*\s*=\s*utf-8'[^']*'([^\s;]+)/i;

/** The file name of a `Content-Disposition` header (RFC 6266); empty when it has none. */
export function dispositionName(value: string): string {
  const encoded = extended.exec(value)?.[1];
  if (encoded !== undefined) {
    try {
      return decodeURIComponent(encoded);
    } catch {
      // The other form stands for clients, and servers, that do not understand this one.
    }
  }
  return quoted.exec(value)?.[1]?.replace(/\\(.)/g, "$1") ?? token.exec(value)?.[1] ?? "";
}
