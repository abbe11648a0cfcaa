import { boundary, form, type Part } from "../helpers/wire.ts";
import type { Random } from "./random.ts";

/** What the upload locations of the storm's server are called; each has other buffers and limits. */
export const uploadPaths = ["/upload", "/tiny", "/large", "/uri?a=b", "/mirrored", "/page"] as const;

/** A request to smuggle: whoever runs it asks the target for a path that no case asks for openly. */
export const hidden = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** File names that are paths, break lines, name devices or are too long to be one. */
const hostileNames = [
  "../../etc/passwd", "..\\..\\boot.ini", "/", ".", "..", "a/..", "%2e%2e%2f", "a%00.txt", "a\0b", "a\rb", "\x7f\x01", "CON", "-rf", "a".repeat(255),
  "b".repeat(4000), "\xe2\x80\xaegpj.exe", "\xff\xfe", "$(reboot)", "a\\\"b", "'; drop table uploads; --", "<script>", "x.state", "\t", " ",
] as const;

const dispositions = [
  ...hostileNames.map((name) => `name="file"; filename="${name}"`),
  ...["UTF-8''..%2f..%2fx", "UTF-8''%0d%0a%0d%0ax", "utf-8'en'a%", "UTF-16''a", "ISO-8859-1''%ff", "UTF-8''%c0%af", "''a", "UTF-8'", "UTF-8''%00"].map((name) => `name="f"; filename*=${name}`),
  ...Array.from({ length: 16 }, () => 'name="file"; filename="a.txt"'),
  'name="file"; filename="a.txt"',
  'name="file"; filename=""',
  'name="note"',
  'name="files[]"; filename="b\\"c;d.txt"',
  "name=\"x\"; filename*=UTF-8''%e2%82%ac.txt",
  'filename="c"; name=file',
];

function part(random: Random): Part {
  const sizes = [0, 1, random.integer(2, 100), random.integer(100, 3000), random.once(20) ? random.integer(3000, 40_000) : 7];
  const size = random.pick(sizes);
  const body = random.once(3) ? lookalike(random, size) : Buffer.alloc(size, random.integer(0, 255));
  const type = random.once(2) ? { type: random.pick(["text/plain", "application/octet-stream", "a/b; c=d"]) } : {};
  return { disposition: random.pick(dispositions), body, ...type };
}

/** Content that looks like the boundary again and again. */
function lookalike(random: Random, size: number): Buffer {
  const pieces: Buffer[] = [];
  for (let length = 0; length < size; ) {
    const text = `\r\n--${boundary}`.slice(0, random.integer(1, boundary.length + 3));
    pieces.push(Buffer.from(`${text}${random.pick(["", "\r", "\n", "-", "x"])}`));
    length += text.length + 1;
  }
  return Buffer.concat(pieces);
}

/** A form that nothing is wrong with. */
export function goodForm(random: Random): Buffer {
  return form(Array.from({ length: random.integer(0, 4) }, () => part(random)));
}

/** A small form, for cases that are about something else. */
export const smallForm = form([{ disposition: 'name="file"; filename="a.txt"', body: "content" }]);

type Mutation = (random: Random, bytes: Buffer) => Buffer;

const spliced = (bytes: Buffer, from: number, to: number, put: Buffer): Buffer => Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(to)]);

/** A place that matters: behind a line break, a boundary or anywhere. */
function place(random: Random, bytes: Buffer): number {
  const anywhere = random.integer(0, bytes.length);
  const mark = random.pick(["\r\n", `--${boundary}`, "\r\n\r\n", ";", ""]);
  const found = mark === "" ? -1 : bytes.indexOf(mark, anywhere);
  return found < 0 ? anywhere : Math.min(bytes.length, found + random.integer(0, mark.length));
}

const mutations: readonly Mutation[] = [
  function flipBit(random, bytes) {
    const copy = Buffer.from(bytes);
    const at = random.integer(0, Math.max(0, copy.length - 1));
    copy[at] = (copy[at] ?? 0) ^ (1 << random.integer(0, 7));
    return copy;
  },
  function cutEnd(random, bytes) {
    return bytes.subarray(0, random.integer(0, bytes.length));
  },
  function cutStart(random, bytes) {
    return bytes.subarray(random.integer(0, Math.min(bytes.length, 60)));
  },
  function removePiece(random, bytes) {
    const from = place(random, bytes);
    return spliced(bytes, from, Math.min(bytes.length, from + random.integer(1, 8)), Buffer.alloc(0));
  },
  function repeatPiece(random, bytes) {
    const [from, to] = [place(random, bytes), place(random, bytes)].sort((a, b) => a - b) as [number, number];
    return spliced(bytes, to, to, bytes.subarray(from, to));
  },
  function insertToken(random, bytes) {
    const tokens = ["\r", "\n", "\r\n", "\r\n\r\n", "\0", "--", `--${boundary}`, `\r\n--${boundary}`, `\r\n--${boundary}--`, `--${boundary}--\r\n`];
    const more = ['"', "\\", ";", "name=", 'filename="', "filename*=UTF-8''%00", "Content-Disposition: form-data; name=a\r\n", "Content-Type: ", hidden, "\xff"];
    const at = place(random, bytes);
    return spliced(bytes, at, at, Buffer.from(random.pick([...tokens, ...more]), "latin1"));
  },
  function insertNoise(random, bytes) {
    const at = place(random, bytes);
    return spliced(bytes, at, at, random.bytes(random.integer(1, 30)));
  },
  function hugeHeader(random, bytes) {
    const at = bytes.indexOf("\r\n\r\n");
    const line = `\r\nX-${random.text(3)}: ${"h".repeat(random.pick([50, 509, 510, 600, 5000, 70_000]))}`;
    return at < 0 ? bytes : spliced(bytes, at, at, Buffer.from(line));
  },
  function manyHeaders(random, bytes) {
    const at = bytes.indexOf("\r\n\r\n");
    return at < 0 ? bytes : spliced(bytes, at, at, Buffer.from("\r\nA: b".repeat(random.pick([10, 63, 64, 65, 2000]))));
  },
  function manyParts(random, bytes) {
    const one = Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="m"\r\n\r\n\r\n`);
    return Buffer.concat([...Array.from({ length: random.pick([2, 50, 400]) }, () => one), bytes]);
  },
  function otherBoundary(random, bytes) {
    const longer = random.pick([`${boundary}x`, boundary.slice(0, -1), boundary.toLowerCase(), `-${boundary}`]);
    return Buffer.from(bytes.toString("latin1").replace(boundary, longer), "latin1");
  },
  function nested(_random, bytes) {
    const inner = form([{ disposition: 'name="inner"; filename="i"', body: "inner" }], `${boundary}in`);
    const outer = form([{ disposition: 'name="outer"', type: `multipart/mixed; boundary=${boundary}in`, body: inner }]);
    return Buffer.concat([outer.subarray(0, -boundary.length - 6), bytes]);
  },
];

/** A form with one to four things wrong with it, or now and then none. */
export function brokenForm(random: Random): Buffer {
  let bytes = goodForm(random);
  for (let i = random.integer(0, 4); i > 0; i--) bytes = random.pick(mutations)(random, bytes);
  return bytes;
}

/** A boundary parameter as odd clients, and those that mean harm, write it. */
export function oddContentType(random: Random): string {
  return random.pick([
    `multipart/form-data; boundary=${boundary}`,
    `multipart/form-data; boundary="${boundary}"`,
    `multipart/form-data;boundary=${boundary};charset=utf-8`,
    `MULTIPART/form-data; BOUNDARY=${boundary}`,
    `multipart/form-data; boundary=${boundary}; boundary=other`,
    `multipart/form-data; boundary=${boundary},other`,
    `multipart/form-data; boundary=${random.text(random.integer(0, 210))}`,
    `multipart/form-data; boundary=${"b".repeat(random.pick([199, 200, 201, 8000]))}`,
    `multipart/form-data; x="${random.text(20)}; boundary=${boundary}`,
    `multipart/form-data; boundary="\\${boundary}"`,
    `multipart/form-data; boundary*0=${boundary}`,
    "multipart/form-data; boundary=",
    "multipart/form-data",
    "multipart/mixed; boundary=a",
    "text/plain",
    "",
    random.text(random.integer(1, 100)),
  ]);
}
