/** Exchanges that must come out the same whatever carries them. */
import { createHash } from "node:crypto";
import { boundary, form, type Part } from "./wire.ts";

/** One request, and what must come of it. */
export interface Exchange {
  readonly name: string;
  readonly method: string;
  /** Path without arguments; the location decides the buffers. */
  readonly path: string;
  /** @default the form's own; null is none */
  readonly type?: string | null;
  /** More headers. In them and in the path, `%RUN%` is a word that no other run of the exchanges has. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Offsets of the body where the client's writes, or frames, are cut. */
  readonly cuts: readonly number[];
  /** Size of the chunks where the body is chunked. */
  readonly chunk: number;
  readonly status: number;
  /** Body of an answer that nginx gives itself. @default not looked at */
  readonly answer?: string;
  /** The rewritten form, with {@link stored} in place of a path. @default the target is not called */
  readonly fields?: readonly (readonly [string, string])[];
}

/** The locations that take forms: name, client_body_buffer_size, upload_buffer_size, more. */
const LOCATIONS: readonly (readonly [name: string, body: string, write: string, more?: string])[] = [
  ["k1", "1k", "1k", "upload_sync off;"],
  ["uneven", "1000", "70000"],
  ["k16", "16k", "16k"],
  ["k64", "64k", "64k"],
  ["m1", "1m", "1m"],
  ["worker", "64k", "64k", "upload_thread_pool off; upload_sync off;"],
  ["limited", "1k", "1k", "upload_max_file_size 1000; upload_max_output_body_len 2k;"],
  ["small", "1k", "1k", "client_max_body_size 1500;"],
];

/** The directives of the locations that take forms. */
export const formLocations: string = LOCATIONS.map(
  ([name, body, write, more = ""]) => `
    location /${name} {
      upload_pass @done;
      upload_store %STORE% 1;
      upload_set_form_field $upload_field_name.name "$upload_file_name";
      upload_set_form_field $upload_field_name.path "$upload_tmp_path";
      upload_aggregate_form_field $upload_field_name.size "$upload_file_size";
      upload_aggregate_form_field $upload_field_name.md5 "$upload_file_md5";
      upload_pass_form_field "^note$";
      upload_cleanup 400-599;
      client_body_buffer_size ${body};
      upload_buffer_size ${write};
      ${more}
    }`,
).join("");

/** What stands for a file's path once its content was read. */
export const stored = (content: Buffer): string => `${content.length} bytes, SHA-256 ${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;

/** Content that begins like the boundary again and again. */
export function content(length: number): Buffer {
  const unit = `\r\n--${boundary.slice(0, -1)}\r\n-\r--${boundary}\n--\0`;
  return Buffer.alloc(length, unit, "latin1");
}

const file = (name: string, body: Buffer): Part => ({ disposition: `name="${name}"; filename="${name}.bin"`, body });
const note: Part = { disposition: 'name="note"', body: "a note" };
const other: Part = { disposition: 'name="other"', body: "not passed" };
const rest = [note, file("b", Buffer.from("tail"))];

function fieldsOf(parts: readonly Part[]): [string, string][] {
  return parts.flatMap(({ disposition, body }): [string, string][] => {
    const [, name = "", fileName] = /^name="([^"]*)"(?:; filename="([^"]*)")?/.exec(String(disposition))!;
    if (fileName === undefined) return name === "note" ? [["note", String(body)]] : [];
    const bytes = Buffer.from(body);
    return [[`${name}.name`, fileName], [`${name}.path`, stored(bytes)], [`${name}.size`, `${bytes.length}`], [`${name}.md5`, createHash("md5").update(bytes).digest("hex")]];
  });
}

/** An upload that succeeds. */
function good(name: string, path: string, parts: readonly Part[], more: Partial<Exchange> = {}): Exchange {
  return { name, method: "POST", path, body: form(parts), cuts: [], chunk: 997, status: 200, fields: fieldsOf(parts), ...more };
}

function refused(name: string, path: string, status: number, body: Buffer, more: Partial<Exchange> = {}): Exchange {
  return { name, method: "POST", path, body, cuts: [], chunk: 100, status, ...more };
}

/** Bytes of a form in front of its first part's content. */
const front = form([file("a", Buffer.alloc(0))]).indexOf("\r\n\r\n") + 4;

/** How far around an edge. */
const REACH = 40;

/** A part's end at each offset around an edge of the body, with more parts behind it or as the end of all. */
function sweep(path: string, edge: number, step: number, more: readonly Part[]): Exchange[] {
  const offsets = Array.from({ length: Math.floor((2 * REACH) / step) + 1 }, (_, i) => i * step - REACH);
  return ends(path, edge, offsets, more);
}

/** A file's length that leads nginx to read on into a buffer of 256 KiB, and one that fills that; buffers end on pages of the file. */
const [LARGER, FULL] = [1_048_576, 1_048_576 + 262_144] as const;

/** Offsets with which an edge is in a delimiter, or just beside it: bodies are long, and all around one would take long. */
const within = (step: number): number[] => Array.from({ length: Math.floor((boundary.length + 8) / step) + 1 }, (_, i) => i * step - boundary.length - 6);

function ends(path: string, edge: number, offsets: readonly number[], more: readonly Part[]): Exchange[] {
  return offsets.map((offset) => {
    const at = `${more.length === 0 ? "the final" : "a"} boundary at ${edge}${offset < 0 ? offset : `+${offset}`}`;
    const place = more.length === 0 ? { cuts: [edge + offset], chunk: edge } : { cuts: [edge] };
    return good(`/${path}: ${at}`, `/${path}`, [file("a", content(edge + offset - front)), ...more], place);
  });
}

/** Files of 0, 1, and about 1 and 3 buffers. */
function sizes(path: string, buffer: number): Exchange[] {
  return [0, 1, buffer - 1, buffer, buffer + 1, 3 * buffer].map((size) =>
    good(`/${path}: a file of ${size} bytes`, `/${path}`, [note, file("a", content(size)), other], { cuts: [1, 2, 3, front], chunk: size < 200 ? 1 : buffer }),
  );
}

/** Uploads that succeed. */
const accepted: readonly Exchange[] = [
  ...[["k1", 1024], ["uneven", 1000], ["uneven", 70_000], ["k16", 16_384], ["k64", 65_536], ["worker", 65_536], ["m1", 1_048_576]].flatMap(([path, buffer]) => sizes(String(path), Number(buffer))),
  // Where what was read with a head of 512 bytes ends, and the first buffer behind it; then the buffers of a body that comes alone.
  ...sweep("k1", 512, 1, rest),
  ...sweep("k1", 1536, 1, rest),
  ...sweep("k1", 2048, 1, rest),
  ...sweep("k1", 2048, 1, []),
  ...sweep("uneven", 1000, 4, rest),
  ...sweep("k16", 16_384, 4, rest),
  ...sweep("k64", 65_536, 1, rest),
  ...sweep("k64", 65_536 + 512, 4, rest),
  ...sweep("k64", 2 * 65_536, 4, []),
  ...sweep("worker", 65_536, 4, rest),
  ...ends("k64", front + LARGER, [-64, ...within(1), 64], rest),
  ...ends("k64", front + FULL, [-64, ...within(3), 64], rest),
  ...[LARGER, FULL].flatMap((edge) => [...ends("k64", edge, within(6), []), ...ends("k16", front + edge, within(6), rest)]),
  good("a file of 5 MiB", "/m1", [file("a", content(5 * 1024 * 1024))], { chunk: 100_000 }),
  good("a file of 5 MiB through small buffers", "/k16", [file("a", content(5 * 1024 * 1024)), note], { chunk: 20_000 }),
  good("forty files", "/k1", Array.from({ length: 40 }, (_, i) => file(`f${i}`, content(i * 50)))),
  good("no part at all", "/k1", [], { chunk: 1 }),
  good("each byte by itself", "/k1", [note, file("a", Buffer.from("x"))], { cuts: Array.from({ length: 150 }, (_, i) => i + 1), chunk: 1 }),
];

const whole = form([note, file("a", content(3000))]);

/** Requests that are refused, by their head, in the middle, and at their end. */
const refusals: readonly Exchange[] = [
  refused("another type", "/k1", 415, whole, { type: "text/plain" }),
  refused("no type", "/k1", 400, whole, { type: null }),
  refused("no boundary", "/k1", 400, whole, { type: "multipart/form-data" }),
  refused("PUT", "/k1", 405, whole, { method: "PUT" }),
  refused("a broken part header", "/k1", 400, Buffer.concat([form([note]).subarray(0, -4 - boundary.length - 2), Buffer.from(`--${boundary}\r\nno colon\r\n\r\n`), content(3000)])),
  refused("no final boundary", "/k1", 400, whole.subarray(0, -4)),
  refused("a form that ends in a file", "/k1", 400, whole.subarray(0, 1500)),
  refused("an empty body", "/k1", 400, Buffer.alloc(0)),
  refused("a forged field", "/k1", 400, form([{ disposition: 'name="a.path"', body: "/etc/passwd" }, file("a", content(2000))])),
  refused("a file over the limit", "/limited", 413, form([file("b", content(10)), file("a", content(1001))])),
  good("a file of exactly the limit", "/limited", [file("a", content(1000))]),
  refused("fields over the limit", "/limited", 413, form([{ disposition: 'name="note"', body: "x".repeat(2100) }])),
  refused("a body over the limit", "/small", 413, form([file("a", content(1600))])),
  { ...refused("OPTIONS", "/k1", 200, Buffer.alloc(0), { method: "OPTIONS", type: null }) },
];

/** Every exchange with a form. */
export const forms: readonly Exchange[] = [...accepted.slice(0, 40), ...refusals, ...accepted.slice(40)];
