/**
 * The rewritten form that nginx passes on when an upload has ended (docs/internals/contracts.md, section 1):
 * from a flat list of fields to files.
 */
import { type ChecksumName, type Checksums, checksumNames, isChecksum, isChecksumName } from "./checksum.ts";
import { safeFolder } from "./file-name.ts";
import { plainLine, plainText } from "./text.ts";

/** A field of a form, in the form's order. */
export interface FormField {
  readonly name: string;
  readonly value: string;
}

/** One uploaded file as nginx describes it; nothing of it is believed before it is checked. */
export interface CompletedFile {
  /** Name of the form's file input. */
  readonly field: string;
  /** File name as the client sent it, with the folders before it that `relativePath` names. */
  readonly name: string;
  /** Content type as the client sent it; empty when it sent none. */
  readonly contentType: string;
  /** Absolute path of the file in incoming/. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly checksums: Checksums;
}

export interface CompletionForm {
  /** The files that hold one: without the inputs in which no file was chosen. */
  readonly files: readonly CompletedFile[];
  /** Inputs in which no file was chosen (empty name, no bytes); nginx made an empty file for each. */
  readonly empty: readonly CompletedFile[];
  readonly description: string | null;
  /** Whether the form asked for the answer of a program (`terminal` is not empty). */
  readonly terminal: boolean;
}

const fileFields = ["name", "content_type", "path", "size", ...checksumNames] as const;
type FileField = (typeof fileFields)[number];

interface Group {
  readonly field: string;
  readonly values: Map<FileField, string>;
}

function split(name: string): { field: string; part: FileField } | null {
  const dot = name.lastIndexOf(".");
  if (dot <= 0) return null;
  const part = fileFields.find((known) => known === name.slice(dot + 1));
  return part === undefined ? null : { field: name.slice(0, dot), part };
}

/** A repeated part of one input starts that input's next file. */
function group(fields: readonly FormField[]): Group[] {
  const groups: Group[] = [];
  const current = new Map<string, Group>();
  for (const { name, value } of fields) {
    const found = split(name);
    if (found === null) continue;
    let target = current.get(found.field);
    if (target === undefined || target.values.has(found.part)) {
      target = { field: found.field, values: new Map() };
      current.set(found.field, target);
      groups.push(target);
    }
    target.values.set(found.part, value);
  }
  return groups;
}

function readChecksums(values: Group["values"], required: readonly ChecksumName[], problem: (text: string) => void): Checksums {
  const checksums: Partial<Record<ChecksumName, string>> = {};
  for (const [part, value] of values) {
    if (!isChecksumName(part) || !required.includes(part)) continue;
    if (isChecksum(part, value)) checksums[part] = value;
    else problem(`.${part}: not a checksum, got ${JSON.stringify(value)}; must be lower-case hex`);
  }
  for (const name of required) if (!values.has(name)) problem(`.${name}: missing; the site asks for it on every file`);
  return checksums;
}

function readFile({ field, values }: Group, required: readonly ChecksumName[], problems: string[]): CompletedFile {
  const problem = (text: string) => void problems.push(`${field}${text}`);
  const name = values.get("name");
  const path = values.get("path");
  const size = values.get("size");
  if (name === undefined) problem(".name: missing");
  if (path === undefined) problem(".path: missing");
  if (size === undefined) problem(".size: missing");
  else if (!/^(?:0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    problem(`.size: not a number of bytes, got ${JSON.stringify(size)}`);
  }
  return {
    field: plainLine(field),
    name: name ?? "",
    contentType: values.get("content_type") ?? "",
    path: path ?? "",
    size: Number(size),
    checksums: readChecksums(values, required, problem),
  };
}

/**
 * nginx takes the path off a file's name, so a form says in a field of its own where its file lay: `relativePath`,
 * as in the metadata of tus; one for each file, in their order. With another number of them nobody could tell which
 * is whose.
 */
function placed(files: readonly CompletedFile[], relativePaths: readonly string[]): readonly CompletedFile[] {
  if (relativePaths.length !== files.length) return files;
  return files.map((file, index) => {
    const folder = safeFolder(relativePaths[index] ?? "");
    return folder === null ? file : { ...file, name: `${folder}/${file.name}` };
  });
}

/**
 * Reads a completion.
 * @param required checksums that every file must bring; others that a form names are the client's word, and ignored
 * @param written how many files nginx says that it wrote: one more in the form is the client's invention
 * @returns the form, and what is wrong with it; the form may only be used when nothing is
 */
export function readCompletion(
  fields: readonly FormField[],
  required: readonly ChecksumName[],
  written: number,
): { readonly form: CompletionForm; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const all = group(fields).map((one) => readFile(one, required, problems));
  const last = (name: string) => fields.findLast((field) => field.name === name)?.value ?? "";
  const relativePaths = fields.filter((field) => field.name === "relativePath").map(({ value }) => value);
  const chosen = (file: CompletedFile) => file.name !== "" || file.size !== 0;
  if (all.length !== written) problems.push(`form: describes ${all.length} files, but ${written} were received`);
  const paths = new Set(all.map((file) => file.path));
  if (paths.size !== all.length) problems.push("form: two files have the same path");
  const description = plainText(last("description")).trim();
  return {
    problems,
    form: {
      files: placed(all.filter(chosen), relativePaths),
      empty: all.filter((file) => !chosen(file)),
      description: description === "" ? null : description,
      terminal: last("terminal") !== "",
    },
  };
}
