/** Reading the rewritten form, within bounds. */
import type { IncomingMessage } from "node:http";
import { Busboy, type BusboyHeaders, type BusboyInstance } from "@fastify/busboy";
import type { FormField } from "../protocol/completion.ts";
import { Refusal } from "./refusal.ts";

/** Most bytes of a form. */
export const maxFormBytes = 1024 * 1024;

/** Most fields of a form: a hundred files with every checksum fit. */
const maxFields = 2000;
const maxFieldBytes = 64 * 1024;
const maxHeaderBytes = 16 * 1024;

function makeParser(headers: IncomingMessage["headers"]): BusboyInstance {
  const contentType = headers["content-type"] ?? "";
  if (!/^multipart\/form-data\s*(?:;|$)/i.test(contentType)) throw new Refusal("unsupported_type");
  try {
    return new Busboy({
      headers: headers as BusboyHeaders,
      limits: { fields: maxFields, parts: maxFields, fieldSize: maxFieldBytes, headerSize: maxHeaderBytes, headerPairs: 20 },
    });
  } catch (error) {
    throw new Refusal("bad_form", undefined, { cause: error });
  }
}

/**
 * Reads the fields of a form, in order. The form has no files: nginx took them out.
 * @throws {Refusal} `unsupported_type`, `bad_form` or `form_too_large`
 */
export async function readForm(request: IncomingMessage): Promise<readonly FormField[]> {
  if (Number(request.headers["content-length"]) > maxFormBytes) throw new Refusal("form_too_large");
  const parser = makeParser(request.headers);
  const fields: FormField[] = [];
  return new Promise((resolve, reject) => {
    function refuse(refusal: Refusal): void {
      request.unpipe(parser);
      request.resume();
      reject(refusal);
    }
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxFormBytes) refuse(new Refusal("form_too_large"));
    });
    request.on("aborted", () => refuse(new Refusal("bad_form")));
    request.on("error", (error) => refuse(new Refusal("bad_form", undefined, { cause: error })));
    parser.on("field", (name: string, value: string, nameTruncated: boolean, valueTruncated: boolean) => {
      if (nameTruncated || valueTruncated) refuse(new Refusal("form_too_large"));
      fields.push({ name: String(name), value });
    });
    parser.on("file", (_name, stream) => {
      stream.on("error", () => undefined);
      stream.resume();
      refuse(new Refusal("bad_form", "A file came with the form, past nginx's upload module; the upload location must have upload_pass."));
    });
    parser.on("fieldsLimit", () => refuse(new Refusal("form_too_large")));
    parser.on("partsLimit", () => refuse(new Refusal("form_too_large")));
    parser.on("error", (error) => refuse(new Refusal("bad_form", undefined, { cause: error })));
    parser.on("finish", () => resolve(fields));
    request.pipe(parser);
  });
}
