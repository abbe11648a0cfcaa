import { createHash } from "node:crypto";
import { chunked, head, post } from "../helpers/wire.ts";
import { cut, type Ending, type Generator, http1, type HostileCase } from "./case.ts";
import { hidden } from "./forms.ts";
import type { Random } from "./random.ts";

/** Of so few sessions that cases meet in them. */
const session = (random: Random): string => `s-${random.integer(0, 40)}`;

const ending = (random: Random): Ending => random.pick(["silence", "silence", "close", "reset"]);

/** All sizes that segments may have belong to a file of this size, so that some uploads come to their end. */
const TOTAL = 300;

function contentRange(random: Random, length: number): string {
  const from = random.integer(0, TOTAL - 1);
  const to = from + length - 1;
  const odd = [
    `bytes ${to}-${from}/${TOTAL}`, `bytes ${from}-${to}/${to}`, `bytes ${from}-${to}/*`, `bytes */${TOTAL}`, `bytes ${from}-/${TOTAL}`,
    `bytes -${to}/${TOTAL}`, `items ${from}-${to}/${TOTAL}`, `bytes ${from}-${to}`, `bytes ${from}-${to}/${TOTAL},${TOTAL}`, `bytes=${from}-${to}/${TOTAL}`,
    `bytes 9223372036854775806-9223372036854775807/9223372036854775807`, `bytes 0-18446744073709551615/18446744073709551616`, `bytes 0-${length - 1}/${2 ** 60}`,
    `bytes  ${from} - ${to} / ${TOTAL}`, "", random.text(random.integer(1, 60)), "9".repeat(5000),
  ];
  if (random.once(4)) return random.pick(odd);
  const start = Math.min(from, TOTAL - length);
  return `bytes ${start}-${start + length - 1}/${TOTAL}`;
}

/** Bytes that depend on their place alone, so that segments agree with one another. */
const segment = (length: number): Buffer => Buffer.alloc(length, "segment");

function ranged(random: Random, body: Buffer, announced: number): HostileCase {
  const ids = [session(random), session(random), session(random), "", "a/../b", "..", "x".repeat(300), "a b", "é", "0000000001", random.text(12)];
  const lines = [
    `${random.pick(["Content-Range", "X-Content-Range"])}: ${contentRange(random, announced)}`,
    `${random.pick(["Session-ID", "X-Session-ID"])}: ${random.pick(ids)}`,
    `Content-Disposition: ${random.pick(['attachment; filename="r.bin"', 'form-data; name="f"; filename="r.bin"', "attachment", 'attachment; filename="a\\', ""])}`,
    ...(random.once(10) ? [`Session-ID: ${session(random)}`] : []),
  ];
  const options = { type: random.pick(["application/octet-stream", "text/plain", "image/png"]) };
  const isChunked = random.once(4);
  const request = isChunked
    ? Buffer.concat([head("/ranged", { ...options, extra: [...lines, "Transfer-Encoding: chunked"] }), chunked(body, 50)])
    : post("/ranged", body, { ...options, extra: lines });
  const whole = random.once(4) ? request.subarray(0, random.integer(0, request.length)) : request;
  return http1(cut(random, whole), ending(random), { alsoStatus: [201, 409, 422, 502, 503] });
}

function digest(random: Random, body: Buffer): string {
  const sum = createHash("sha256").update(body).digest("base64");
  return random.pick([`sha-256=:${sum}:`, `sha-256=:${sum.slice(1)}:`, "sha-256=::", "sha-512=:AAAA:", "md5=:AAAA:", `sha-256=${sum}`, `sha-256=:${sum}:;a=b, x=(1 2)`, "sha-256=:!!:", random.text(40), "a".repeat(5000)]);
}

function raw(random: Random): HostileCase {
  const body = Buffer.alloc(random.pick([0, 1, 100, 5000]), "r");
  const lines = [`${random.pick(["Content-Digest", "Repr-Digest"])}: ${digest(random, body)}`, ...(random.once(4) ? [`X-Offset: ${random.pick(["0", "1", "-1", "9223372036854775807", "x", ""])}`] : [])];
  const options = { method: random.pick(["PUT", "PATCH", "POST", "GET"]), type: "application/octet-stream" };
  const request = random.once(3)
    ? Buffer.concat([head("/raw", { ...options, extra: [...lines, "Transfer-Encoding: chunked"] }), chunked(body, 99)])
    : post("/raw", body, { ...options, extra: lines });
  const whole = random.once(4) ? request.subarray(0, random.integer(0, request.length)) : request;
  return http1(cut(random, whole), ending(random), { alsoStatus: [201, 204, 409, 422, 502] });
}

/** Clients of the ways to upload that a build of the module may have beside forms, by the path of their location. */
export const laterGenerators: Readonly<Record<string, readonly Generator[]>> = {
  "/ranged": [
    { name: "ranged: segment", weight: 15, make: (random) => {
      const length = random.integer(1, 150);
      return ranged(random, segment(length), length);
    } },
    { name: "ranged: length unlike the range", weight: 5, make: (random) => ranged(random, segment(random.integer(0, 150)), random.integer(1, 150)) },
    { name: "ranged: hidden request", weight: 2, make: (random) => ranged(random, Buffer.from(hidden.repeat(3)), random.integer(1, hidden.length * 3)) },
  ],
  "/raw": [{ name: "raw", weight: 15, make: raw }],
};
