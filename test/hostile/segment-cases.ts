import { createHash } from "node:crypto";
import { chunked, head, type HeadOptions, post } from "../helpers/wire.ts";
import { cut, type Generator, http1, type HostileCase } from "./case.ts";
import { hidden } from "./forms.ts";
import type { Random } from "./random.ts";

/** The file that all ranged uploads of the storm are about; its bytes depend on their place. */
const WHOLE = Buffer.from(Array.from({ length: 300 }, (_, i) => `${i} `).join("")).subarray(0, 300);

/** Of so few sessions and files that cases meet in them; new ones now and then, for one that has gone wrong stays so. */
const session = (random: Random, index: number): string => `s-${Math.floor(index / 500)}-${random.integer(0, 1)}`;

/** A segment as it should be: bytes from `from` up to but not with `to`. */
export function segmentOf(id: string, from: number, to: number): Buffer {
  const extra = [`Content-Range: bytes ${from}-${to - 1}/${WHOLE.length}`, `Session-ID: ${id}`];
  return post("/ranged", WHOLE.subarray(from, to), { type: "application/octet-stream", extra });
}

/** A request with its body, in one piece or chunks, now and then cut off. */
function send(random: Random, path: string, body: Buffer, options: HeadOptions, alsoStatus: readonly number[]): HostileCase {
  const extra = options.extra ?? [];
  const request = random.once(4)
    ? Buffer.concat([head(path, { ...options, extra: [...extra, "Transfer-Encoding: chunked"] }), chunked(body, random.pick([1, 50]))])
    : post(path, body, { ...options, extra });
  const more = { alsoStatus: [...alsoStatus, 409, 422, 502], pause: random.pick([0, 0, 2]) };
  if (random.once(4)) {
    return http1(cut(random, request.subarray(0, random.integer(0, request.length))), random.pick(["silence", "end", "close", "reset"]), more);
  }
  return http1(cut(random, request), random.pick(["answer", "answer", "answer", "answer", "end", "close", "reset"]), { ...more, whole: 1 });
}

function oddRange(random: Random, from: number, to: number): string {
  const total = WHOLE.length;
  return random.pick([
    `bytes ${to}-${from}/${total}`, `bytes ${from}-${to}/${to}`, `bytes ${from}-${to}/*`, `bytes */${total}`, `bytes ${from}-/${total}`,
    `bytes -${to}/${total}`, `items ${from}-${to}/${total}`, `bytes ${from}-${to}`, `bytes ${from}-${to}/${total},${total}`, `bytes=${from}-${to}/${total}`,
    "bytes 9223372036854775806-9223372036854775807/9223372036854775807", "bytes 0-18446744073709551615/18446744073709551616", `bytes 0-${to - from}/${2 ** 60}`,
    `bytes  ${from} - ${to} / ${total}`, `bytes ${from}-${to}/${total + 1}`, "", random.text(random.integer(1, 60)), "9".repeat(5000),
  ]);
}

function ranged(random: Random, index: number, body: Buffer, range: string): HostileCase {
  const ids = ["", "a/../b", "..", "x".repeat(300), "a b", "\xe9", "0000000001", "s-1.state", random.text(12)];
  const names = ['attachment; filename="r.bin"', 'form-data; name="f"; filename="r.bin"', "attachment", 'attachment; filename="a\\', "", random.text(30)];
  const extra = [
    `${random.pick(["Content-Range", "X-Content-Range"])}: ${range}`,
    `${random.pick(["Session-ID", "X-Session-ID"])}: ${random.once(16) ? random.pick(ids) : session(random, index)}`,
    `Content-Disposition: ${random.once(10) ? random.pick(names) : names[0]}`,
    ...(random.once(30) ? [`Session-ID: ${session(random, index)}`] : []),
    `X-Target: ${random.pick(["ok", "slow", "error", "reset"])}`,
  ];
  return send(random, "/ranged", body, { type: random.pick(["application/octet-stream", "text/plain"]), extra }, [201]);
}

/** A segment as it should be, of a session that others may be in. */
function segment(random: Random, index: number): HostileCase {
  const from = random.once(3) ? random.integer(0, WHOLE.length - 1) : random.integer(0, 2) * 100;
  const to = random.once(3) ? random.integer(from, Math.min(WHOLE.length - 1, from + 150)) : Math.min(WHOLE.length - 1, from + 99);
  return ranged(random, index, WHOLE.subarray(from, to + 1), random.once(30) ? oddRange(random, from, to) : `bytes ${from}-${to}/${WHOLE.length}`);
}

function digest(random: Random, body: Buffer): string {
  const sum = createHash("sha256").update(body).digest("base64");
  const odd = [`sha-256=:${sum.slice(1)}:`, "sha-256=::", "sha-512=:AAAA:", "md5=:AAAA:", `sha-256=${sum}`, `sha-256=:${sum}:;a=b, x=(1 2)`, "sha-256=:!!:", random.text(40), "a".repeat(5000)];
  return random.once(2) ? `sha-256=:${sum}:` : random.pick(odd);
}

function rawHeaders(random: Random, body: Buffer): HeadOptions {
  const line = `${random.pick(["Content-Digest", "Repr-Digest"])}: ${digest(random, body)}`;
  const extra = [...(random.once(2) ? [line] : []), `X-Target: ${random.pick(["ok", "ok", "error", "slow", "reset"])}`];
  return { method: random.pick(["PUT", "PATCH", "POST", "POST", "GET", "OPTIONS"]), type: random.pick(["application/octet-stream", null, "a/b"]), extra };
}

/** A body that becomes a new file. */
function raw(random: Random): HostileCase {
  const body = Buffer.alloc(random.pick([0, 1, 100, 5000, 40_000]), "raw ");
  return send(random, "/raw", body, rawHeaders(random, body), []);
}

/** A piece of a file that a variable names, here a header: others may write it at the same time. */
function piece(random: Random, index: number): HostileCase {
  const from = random.integer(0, WHOLE.length);
  const body = WHOLE.subarray(from, random.integer(from, WHOLE.length));
  const names = ["", ".", "..", "../x", "a/../../b", "a/b", "p-1.state", "n".repeat(300), "/"];
  const offsets = ["", "1", "-1", "9223372036854775807", "99999999999999999999", "x"];
  const options = rawHeaders(random, body);
  const extra = [
    ...(options.extra ?? []),
    `X-Path: ${random.once(8) ? random.pick(names) : `p-${Math.floor(index / 600)}-${random.integer(0, 3)}`}`,
    `X-Offset: ${random.once(8) ? random.pick(offsets) : from}`,
    `X-Length: ${random.once(8) ? random.pick(offsets) : WHOLE.length}`,
  ];
  return send(random, "/piece", body, { ...options, extra }, [500, 503, 507]);
}

/** Clients of ranged and raw uploads. */
export const segmentGenerators: readonly Generator[] = [
  { name: "ranged: segment", weight: 18, make: segment },
  { name: "ranged: length unlike the range", weight: 3, make: (random, index) => ranged(random, index, WHOLE.subarray(0, random.integer(0, 150)), `bytes 0-${random.integer(0, 150)}/${WHOLE.length}`) },
  { name: "ranged: hidden request", weight: 2, make: (random, index) => ranged(random, index, Buffer.from(hidden.repeat(3)), `bytes 0-${random.integer(1, hidden.length * 3)}/${hidden.length * 3}`) },
  { name: "raw: new file", weight: 8, make: raw },
  { name: "raw: piece", weight: 14, make: piece },
];
