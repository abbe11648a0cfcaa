/** Exchanges without a form: bodies that are files, or pieces of them. */
import { createHash } from "node:crypto";
import { content, type Exchange, formLocations, forms, stored } from "./matrix-cases.ts";

const told = `
      upload_set_form_field name "$upload_file_name";
      upload_set_form_field path "$upload_tmp_path";
      upload_aggregate_form_field offset "$upload_offset";
      upload_cleanup 400-599;`;

/** The server's directives: a location for each pair of buffer sizes and each way of uploading, and their target. */
export const matrixServer = `client_header_buffer_size 1k; keepalive_requests 100000; ${formLocations}
    location /ranged {
      upload_pass @done;
      upload_resumable on;
      upload_store %STORE% 1;
      upload_state_store %FOLDER%/temp;
      client_body_buffer_size 1k;
      ${told}
      upload_aggregate_form_field md5 "$upload_file_md5";
    }
    location /raw {
      upload_pass @done;
      upload_raw on;
      upload_store %STORE% 1;
      client_body_buffer_size 16k;
      ${told}
      upload_aggregate_form_field md5 "$upload_file_md5";
    }
    location ~ ^/piece/(?<piece>[a-z0-9]+)$ {
      upload_pass @done;
      upload_raw on;
      upload_store %STORE%;
      upload_raw_path %STORE%/$piece;
      upload_raw_offset $http_x_offset;
      upload_raw_length $http_x_length;
      client_body_buffer_size 1k;
      ${told}
      upload_aggregate_form_field outcome "$upload_outcome";
    }
    location @done { proxy_ignore_client_abort on; proxy_pass http://%UPSTREAM%; }`;

const OCTETS = "application/octet-stream";
const plain = { method: "POST", type: OCTETS, cuts: [], chunk: 997 } as const;
const md5 = (bytes: Buffer): string => createHash("md5").update(bytes).digest("hex");
const digest = (bytes: Buffer): string => `sha-256=:${createHash("sha256").update(bytes).digest("base64")}:`;

/** A body that becomes a new file. */
function raw(method: string, size: number, more: Partial<Exchange> = {}): Exchange {
  const body = content(size);
  const fields: Exchange["fields"] = [["name", ""], ["path", stored(body)], ["offset", `${size}`], ["md5", md5(body)]];
  return { ...plain, name: `raw: ${method} of ${size} bytes`, method, path: "/raw", body, status: 200, fields, chunk: size < 200 ? 1 : 4096, ...more };
}

function refusedRaw(name: string, status: number, more: Partial<Exchange>): Exchange {
  return { ...plain, name: `raw: ${name}`, method: "PUT", path: "/raw", body: content(3000), status, ...more };
}

const whole = content(150_001);

/** A piece of a file, in order; the last of them makes it whole. */
function piece(first: number, end: number): Exchange {
  const done = end === whole.length;
  return {
    ...plain,
    name: `piece: bytes ${first} to ${end}`,
    method: "PATCH",
    path: "/piece/%RUN%",
    headers: { "X-Offset": `${first}`, "X-Length": `${whole.length}`, ...(done ? { "Repr-Digest": digest(whole) } : {}) },
    body: whole.subarray(first, end),
    status: 200,
    fields: [["name", ""], ["path", stored(whole.subarray(0, end))], ["offset", `${end}`], ["outcome", done ? "complete" : "partial"]],
  };
}

/** A segment of a session; `received` is what nginx says when more is missing. */
function segment(session: string, of: Buffer, first: number, end: number, received?: string): Exchange {
  const fields: Exchange["fields"] = [["name", "f.bin"], ["path", stored(of)], ["offset", `${of.length}`], ["md5", md5(of)]];
  return {
    ...plain,
    name: `ranged: bytes ${first} to ${end} of ${session}`,
    path: "/ranged",
    headers: {
      "Session-ID": `%RUN%-${session}`,
      "Content-Disposition": 'attachment; filename="f.bin"',
      "Content-Range": `bytes ${first}-${end - 1}/${of.length}`,
    },
    body: of.subarray(first, end),
    ...(received === undefined ? { status: 200, fields } : { status: 201, answer: received }),
  };
}

const session = content(5000);
const broken = (name: string, status: number, headers: Readonly<Record<string, string>>): Exchange => {
  const good = segment("broken", session, 0, 5000);
  const { fields: _, ...rest } = good;
  return { ...rest, name: `ranged: ${name}`, status, headers: { ...good.headers, ...headers } };
};

const pieces: readonly Exchange[] = [
  ...[0, 1, 4095, 4096, 4097, 65_536, 65_537, 300_000].map((size) => raw("PUT", size, { cuts: [1, 2, 512] })),
  raw("POST", 2000, { type: "text/plain" }),
  raw("PATCH", 2000, { type: null }),
  raw("PUT", 2000, { name: "raw: a type of forms", type: "multipart/form-data; boundary=x" }),
  raw("PUT", 3000, { name: "raw: with its digest", headers: { "Content-Digest": digest(content(3000)), "Repr-Digest": digest(content(3000)) } }),
  refusedRaw("another file's digest", 400, { headers: { "Content-Digest": digest(content(2999)) } }),
  refusedRaw("a digest that is none", 400, { headers: { "Content-Digest": "sha-256=:x" } }),
  refusedRaw("DELETE", 405, { method: "DELETE", body: Buffer.alloc(0) }),
  piece(0, 1000),
  piece(1000, 1001),
  piece(1001, 70_000),
  piece(70_000, whole.length),
  segment("one", session, 0, 5000),
  segment("two", session, 2000, 3000, "2000-2999/5000"),
  segment("two", session, 4999, 5000, "2000-2999/5000,4999-4999/5000"),
  segment("two", session, 0, 2000, "0-2999/5000,4999-4999/5000"),
  segment("two", session, 3000, 4999),
  broken("a range longer than the body", 416, { "Content-Range": "bytes 0-5000/5001" }),
  broken("a range that ends before it begins", 400, { "Content-Range": "bytes 9-5/5000" }),
  broken("no session", 400, { "Session-ID": "a/b" }),
];

/** A body of more bytes than its file has room for. */
export const overlong: Exchange = refusedRaw("a piece that is longer than its file", 413, {
  path: "/piece/%RUN%",
  headers: { "X-Offset": "0", "X-Length": "1000" },
});

/** Every exchange of the matrix. */
export const exchanges: readonly Exchange[] = [...forms, ...pieces];
