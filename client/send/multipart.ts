import { randomBytes } from "node:crypto";

/** What stands before and after the bytes of the one file of a form (RFC 7578). */
export interface FormFrame {
  readonly contentType: string;
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** A form that is small enough to be in memory. */
export interface WholeForm {
  readonly contentType: string;
  readonly body: Buffer;
}

/** Ordinary fields in their order: name and value. */
export type FormFields = readonly (readonly [string, string])[];

/**
 * A parameter of Content-Disposition as browsers write it: only the characters that would end it are escaped
 * (WHATWG HTML, "multipart/form-data encoding algorithm").
 */
export const escapeParameter = (text: string): string =>
  text.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22");

const newBoundary = (): string => `slipway-${randomBytes(24).toString("hex")}`;

const typeOf = (boundary: string): string => `multipart/form-data; boundary=${boundary}`;

const fieldPart = (boundary: string, name: string, value: string): string =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${escapeParameter(name)}"\r\n\r\n${value}\r\n`;

const fileHead = (boundary: string, field: string, name: string): string =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${escapeParameter(field)}"; filename="${escapeParameter(name)}"\r\nContent-Type: application/octet-stream\r\n\r\n`;

/** The frame of a form: its ordinary fields first, so that the receiver has them before the bytes. */
export function formFrame(fields: Readonly<Record<string, string>>, file: { readonly field: string; readonly name: string }): FormFrame {
  const boundary = newBoundary();
  const parts = Object.entries(fields).map(([name, value]) => fieldPart(boundary, name, value));
  return {
    contentType: typeOf(boundary),
    head: Buffer.from(`${parts.join("")}${fileHead(boundary, file.field, file.name)}`),
    tail: Buffer.from(`\r\n--${boundary}--\r\n`),
  };
}

/** A form of several files, all of them of one input. */
export function wholeForm(fields: FormFields, field: string, files: readonly { readonly name: string; readonly bytes: Buffer }[]): WholeForm {
  const boundary = newBoundary();
  const parts: Buffer[] = fields.map(([name, value]) => Buffer.from(fieldPart(boundary, name, value)));
  for (const { name, bytes } of files) parts.push(Buffer.from(fileHead(boundary, field, name)), bytes, Buffer.from("\r\n"));
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return { contentType: typeOf(boundary), body: Buffer.concat(parts) };
}
