import { randomBytes } from "node:crypto";

/** What stands before and after the bytes of the one file of a form (RFC 7578). */
export interface FormFrame {
  readonly contentType: string;
  readonly head: Buffer;
  readonly tail: Buffer;
}

/**
 * A parameter of Content-Disposition as browsers write it: only the characters that would end it are escaped
 * (WHATWG HTML, "multipart/form-data encoding algorithm").
 */
export const escapeParameter = (text: string): string =>
  text.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22");

/** The frame of a form: its ordinary fields first, so that the receiver has them before the bytes. */
export function formFrame(fields: Readonly<Record<string, string>>, file: { readonly field: string; readonly name: string }): FormFrame {
  const boundary = `slipway-${randomBytes(24).toString("hex")}`;
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${escapeParameter(name)}"\r\n\r\n${value}\r\n`,
  );
  const disposition = `form-data; name="${escapeParameter(file.field)}"; filename="${escapeParameter(file.name)}"`;
  parts.push(`--${boundary}\r\nContent-Disposition: ${disposition}\r\nContent-Type: application/octet-stream\r\n\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    head: Buffer.from(parts.join("")),
    tail: Buffer.from(`\r\n--${boundary}--\r\n`),
  };
}
