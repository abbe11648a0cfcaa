import { boundary } from "../helpers/wire.ts";
import { cut, type Generator, type HostileCase } from "./case.ts";
import { brokenForm, goodForm, hidden, oddContentType, smallForm, uploadPaths } from "./forms.ts";
import { fieldBlock, flags, frame, frameTypes, preface, settings, uint32 } from "./frames.ts";
import type { Random } from "./random.ts";

type Fields = readonly (readonly [string, string])[];

const headers = (stream: number, fields: Fields, bits: number = flags.endHeaders): Buffer => frame(frameTypes.headers, bits, stream, fieldBlock(fields));

const type = `multipart/form-data; boundary=${boundary}`;

function requestFields(random: Random, more: Fields = []): Fields {
  const target = random.pick(["ok", "ok", "error", "slow", "reset"]);
  return [[":method", "POST"], [":scheme", "http"], [":path", random.pick(uploadPaths)], [":authority", "localhost"], ["x-target", target], ["content-type", type], ...more];
}

/** DATA frames of a body, the last one with END_STREAM unless told otherwise. */
function data(random: Random, stream: number, body: Buffer, end = true): Buffer[] {
  const size = random.pick([1, 13, 100, 1000, 16384]);
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length && pieces.length < 400; at += size) {
    const padding = random.once(4) ? random.integer(0, 255) : undefined;
    const piece = body.subarray(at, pieces.length === 399 ? Math.min(body.length, at + 16_000) : at + size);
    const payload = padding === undefined ? piece : Buffer.concat([Buffer.from([padding]), piece, Buffer.alloc(padding)]);
    pieces.push(frame(frameTypes.data, padding === undefined ? 0 : flags.padded, stream, payload.subarray(0, 16384)));
  }
  return end ? [...pieces, frame(frameTypes.data, flags.endStream, stream)] : pieces;
}

/** A whole upload as it should be, with all that a connection begins with. */
export function uploadOf(path: string, body: Buffer): Buffer {
  const fields: Fields = [[":method", "POST"], [":scheme", "http"], [":path", path], [":authority", "localhost"], ["content-type", type]];
  return Buffer.concat([preface, settings(), headers(1, fields), frame(frameTypes.data, flags.endStream, 1, body)]);
}

const upload = (random: Random, stream: number, body: Buffer, more: Fields = []): Buffer[] => [headers(stream, requestFields(random, more)), ...data(random, stream, body)];

function client(random: Random, frames: readonly Buffer[], ending: HostileCase["ending"] = random.pick(["silence", "silence", "end", "close", "reset"])): HostileCase {
  const bytes = Buffer.concat([preface, settings(), ...frames]);
  return { port: "http2", pieces: cut(random, bytes), pause: random.pick([0, 0, 0, 1]), ending, alsoStatus: [422, 500, 502, 507] };
}

const reset = (random: Random, stream: number): Buffer => frame(frameTypes.rstStream, 0, stream, uint32(random.pick([0, 1, 5, 8, 0xffffffff])));

/** Puts a frame somewhere among others. */
function among(random: Random, frames: readonly Buffer[], put: Buffer): Buffer[] {
  const at = random.integer(0, frames.length);
  return [...frames.slice(0, at), put, ...frames.slice(at)];
}

/** A request that is no form. */
function other(random: Random, fields: Fields, body: Buffer, whole: number): HostileCase {
  const all: Fields = [[":method", random.pick(["POST", "PUT", "PATCH", "POST"])], [":scheme", "http"], [":authority", "localhost"], ["x-target", random.pick(["ok", "slow"])], ...fields];
  const frames = [headers(1, all), ...data(random, 1, body, whole > 0)];
  return { ...client(random, frames, whole > 0 ? "answer" : random.pick(["silence", "end", "close", "reset"])), whole, alsoStatus: [201, 409, 422, 500, 502, 503, 507] };
}

const window = (stream: number, by: number): Buffer => frame(frameTypes.windowUpdate, 0, stream, uint32(by));

const oddFields: readonly Fields[] = [
  [["transfer-encoding", "chunked"]],
  [["connection", "keep-alive"]],
  [["Upper", "case"]],
  [["x-break", `a\r\n\r\n${hidden}`]],
  [["content-type", type]],
  [["content-length", "5"], ["content-length", "6"]],
  [["content-length", "-1"]],
  [["content-length", "99999999999999999999"]],
  [[":path", "/hidden"]],
  [["te", "trailers"], ["expect", "100-continue"]],
  [["", "empty"]],
  [["x-nul", "a\0b"]],
];

/** Field blocks that are no HPACK, or too much of it (RFC 7541); bounded, as nginx's own limits are not the question. */
const oddBlocks: readonly ((good: Buffer) => Buffer)[] = [
  (good) => Buffer.concat([Buffer.from([0x20]), good]),
  (good) => Buffer.concat([Buffer.from([0x3f, 0xff, 0xff, 0xff, 0xff, 0x0f]), good]),
  (good) => Buffer.concat([good, Buffer.from([0x20])]),
  (good) => Buffer.concat([good, Buffer.from([0x80])]),
  (good) => Buffer.concat([good, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f])]),
  (good) => Buffer.concat([good, Buffer.from([0x00, 0x83, 0xff, 0xff, 0xff, 0x01, 0x61])]),
  (good) => Buffer.concat([good, Buffer.from([0x00, 0x7f, 0xff, 0xff, 0x7f])]),
  (good) => good.subarray(0, good.length - 3),
  // A field of 4,000 bytes goes into the table, and then comes again and again.
  (good) => Buffer.concat([good, Buffer.from([0x40, 0x01, 0x78, 0x7f, 0xa1, 0x1e]), Buffer.alloc(4000, 0x61), Buffer.alloc(300, 0xbe)]),
];

const tricks: Readonly<Record<string, readonly [weight: number, make: (random: Random) => HostileCase]>> = {
  goodForm: [2, (random) => client(random, upload(random, 1, goodForm(random)), "silence")],
  wholeForm: [4, (random) => ({ ...client(random, upload(random, 1, random.once(2) ? brokenForm(random) : goodForm(random)), "answer"), whole: 1 })],
  raw: [4, (random) => other(random, [[":path", "/raw"], ...(random.once(2) ? [["content-digest", random.pick(["sha-256=:AAAA:", "sha-256=::", "x"])] as const] : [])], Buffer.alloc(random.pick([0, 1, 5000, 40_000]), "raw"), random.integer(0, 1))],
  piece: [4, (random) => other(random, [[":path", "/piece"], ["x-path", `h2-${random.integer(0, 40)}`], ["x-offset", random.pick(["0", "0", "5", "x"])], ["x-length", random.pick(["20", "20", "7"])]], Buffer.alloc(random.pick([0, 5, 15, 20, 30]), "piece"), random.integer(0, 1))],
  segment: [4, (random) => {
    const from = random.integer(0, 2) * 10;
    return other(random, [[":path", "/ranged"], ["session-id", `h2-${random.integer(0, 40)}`], ["content-range", `bytes ${from}-${from + random.pick([9, 9, 9, 8, 10])}/30`], ["content-type", "a/b"]], Buffer.alloc(10, "segment"), random.integer(0, 1));
  }],
  noBody: [1, (random) => ({ ...client(random, [headers(1, requestFields(random), flags.endHeaders | flags.endStream)], "answer"), whole: 1 })],
  oddBlock: [3, (random) => client(random, [frame(frameTypes.headers, flags.endHeaders, 1, random.pick(oddBlocks)(fieldBlock(requestFields(random)))), ...data(random, 1, smallForm)])],
  /** Streams that are opened and reset at once, more than may be open. */
  rapidReset: [1, (random) => client(random, Array.from({ length: random.integer(100, 300) }, (_, i) => [headers(2 * i + 1, requestFields(random)), reset(random, 2 * i + 1)]).flat())],
  /** More streams than may be open, none of which ends. */
  tooManyStreams: [1, (random) => client(random, Array.from({ length: random.integer(100, 200) }, (_, i) => headers(2 * i + 1, requestFields(random))))],
  brokenForm: [8, (random) => client(random, upload(random, 1, brokenForm(random)))],
  oddType: [2, (random) => client(random, [headers(1, [...requestFields(random).slice(0, -1), ["content-type", oddContentType(random)]]), ...data(random, 1, smallForm)])],
  oddFields: [3, (random) => client(random, upload(random, 1, smallForm, random.pick(oddFields)))],
  /** More or fewer bytes than content-length says, the hidden request among them. */
  lengthMismatch: [4, (random) => {
    const body = Buffer.concat([smallForm, Buffer.from(hidden)]);
    return client(random, upload(random, 1, body, [["content-length", `${Math.max(0, body.length + random.pick([-1, 1, 100, -hidden.length, 1e9]))}`]]));
  }],
  dataOnClosedStream: [3, (random) => client(random, [...upload(random, 1, smallForm), ...data(random, random.pick([1, 1, 3, 2, 0]), smallForm)])],
  wrongPadding: [3, (random) => {
    const payload = Buffer.from([random.pick([255, 20, 10, 1])]);
    return client(random, [headers(1, requestFields(random)), frame(frameTypes.data, flags.padded, 1, Buffer.concat([payload, smallForm.subarray(0, random.integer(0, 19))])), ...data(random, 1, smallForm)]);
  }],
  windows: [4, (random) => {
    const games = [window(0, 0), window(1, 0), window(1, 0x7fffffff), window(0, 0x7fffffff), window(9, 1), frame(frameTypes.windowUpdate, 0, 1, Buffer.alloc(3))];
    const sizes = [settings([4, 0]), settings([4, 0x7fffffff]), settings([4, 0xffffffff]), settings([5, 1]), settings([3, 0], [4, 1])];
    return client(random, among(random, among(random, upload(random, 1, goodForm(random)), random.pick(games)), random.pick([...games, ...sizes])));
  }],
  /** Does not wait for the server's window. */
  overWindow: [1, (random) => client(random, [headers(1, requestFields(random)), ...Array.from({ length: random.integer(3, 12) }, () => frame(frameTypes.data, 0, 1, Buffer.alloc(16384)))])],
  resets: [6, (random) => client(random, among(random, upload(random, 1, goodForm(random)), reset(random, random.pick([1, 1, 1, 3, 0, 2]))))],
  manyResets: [1, (random) => client(random, Array.from({ length: random.integer(2, 40) }, (_, i) => [headers(2 * i + 1, requestFields(random)), ...data(random, 2 * i + 1, smallForm, random.once(2)), reset(random, 2 * i + 1)]).flat())],
  continuations: [2, (random) => {
    const block = fieldBlock(requestFields(random));
    const middle = random.integer(0, block.length);
    const flood = Array.from({ length: random.pick([0, 1, 30, 200]) }, () => frame(frameTypes.continuation, 0, random.once(20) ? 3 : 1, random.once(2) ? Buffer.alloc(0) : fieldBlock([["x", "y".repeat(random.pick([1, 500]))]])));
    const last = frame(frameTypes.continuation, random.once(3) ? 0 : flags.endHeaders, 1, block.subarray(middle));
    return client(random, [frame(frameTypes.headers, 0, 1, block.subarray(0, middle)), ...flood, last, ...data(random, 1, smallForm)]);
  }],
  trailers: [2, (random) => {
    const bits = flags.endHeaders | (random.once(2) ? flags.endStream : 0);
    return client(random, [headers(1, requestFields(random)), ...data(random, 1, smallForm, false), headers(1, [["x-trailer", "t"]], bits), ...data(random, 1, smallForm)]);
  }],
  /** Several uploads whose frames come in turn. */
  interleaved: [3, (random) => {
    const streams = Array.from({ length: random.integer(2, 6) }, (_, i) => upload(random, 2 * i + 1, random.once(3) ? brokenForm(random) : goodForm(random)));
    const frames = streams.map(([first]) => first!);
    const rest = streams.map((all) => all.slice(1));
    while (rest.some((all) => all.length > 0)) frames.push(random.pick(rest.filter((all) => all.length > 0)).shift()!);
    return client(random, frames);
  }],
  streamNumbers: [2, (random) => client(random, [5, random.pick([0, 1, 2, 3, 5, 0x80000007]), 7].flatMap((stream) => upload(random, stream, smallForm)))],
  floods: [1, (random) => {
    const kinds = [frame(frameTypes.ping, 0, 0, Buffer.alloc(8)), settings([1, 0]), frame(frameTypes.priority, 0, 1, Buffer.from([0, 0, 0, 1, 5])), frame(frameTypes.data, 0, 1), frame(99, 255, 1, Buffer.from("unknown")), frame(frameTypes.pushPromise, 4, 1, Buffer.alloc(8))];
    const kind = random.pick(kinds);
    return client(random, [headers(1, requestFields(random)), ...Array.from({ length: random.integer(1, 60) }, () => kind), ...data(random, 1, smallForm)]);
  }],
  wrongLength: [2, (random) => client(random, [headers(1, requestFields(random)), frame(frameTypes.data, 0, 1, smallForm, random.pick([0, 1, smallForm.length - 1, smallForm.length + 1, 16385, 0xffffff])), ...data(random, 1, smallForm)])],
  goAway: [1, (random) => client(random, among(random, upload(random, 1, goodForm(random)), frame(frameTypes.goAway, 0, 0, Buffer.alloc(random.pick([8, 4, 100])))))],
  brokenBytes: [8, (random) => {
    const { pieces, ...rest } = client(random, upload(random, 1, goodForm(random)));
    const bytes = Buffer.concat(pieces);
    for (let i = random.integer(1, 3); i > 0; i--) bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
    return { ...rest, pieces: cut(random, bytes) };
  }],
  abortAtByte: [8, (random) => {
    const { pieces, ...rest } = client(random, upload(random, 1, random.once(2) ? smallForm : goodForm(random)), random.pick(["close", "reset"]));
    const bytes = Buffer.concat(pieces);
    return { ...rest, pieces: cut(random, bytes.subarray(0, random.integer(0, bytes.length))) };
  }],
};

/** Clients that speak HTTP/2 in clear, frame by frame, and wrongly. */
export const http2Generators: readonly Generator[] = Object.entries(tricks).map(([name, [weight, make]]) => ({ name: `HTTP/2: ${name}`, weight, make }));
