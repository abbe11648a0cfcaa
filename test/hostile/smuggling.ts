import { chunked, form, head, post } from "../helpers/wire.ts";
import { type Generator, http1, type HostileCase } from "./case.ts";
import { hidden, smallForm, uploadPaths } from "./forms.ts";
import type { Random } from "./random.ts";

/** Lines that some parsers take for "Transfer-Encoding: chunked" and others do not. */
const oddTransferEncodings = [
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding\t: chunked",
  "Transfer-Encoding:\tchunked",
  "Transfer-Encoding: \x0bchunked",
  "Transfer-Encoding: chunked\x00",
  "Transfer-Encoding: chunked, chunked",
  "Transfer-Encoding: identity, chunked",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: chunked;q=1",
  'Transfer-Encoding: "chunked"',
  "Transfer-Encoding: CHUNKED",
  "Transfer-Encoding:\r\n chunked",
  " Transfer-Encoding: chunked",
  "X: y\nTransfer-Encoding: chunked",
  "X: y\rTransfer-Encoding: chunked",
  "Transfer_Encoding: chunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
  "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
  "\0Transfer-Encoding: chunked",
];

/** Second lengths, of which the one that ends before the hidden request must not count. */
const oddLengths = (short: number): readonly string[] => [
  `Content-Length: ${short}`,
  `Content-Length : ${short}`,
  `Content_Length: ${short}`,
  `Content-Length:\t${short}`,
  `Content-Length: +${short}`,
  `Content-Length: ${short}, ${short}`,
  `content-length: 0${short}`,
  `X: y\nContent-Length: ${short}`,
];

const later = (request: Buffer, more: Partial<HostileCase> = {}): HostileCase => http1([request], "silence", more);

/** A form, and behind it the hidden request, still within the body. */
const withEpilogue = Buffer.concat([smallForm, Buffer.from(hidden)]);

const oddChunkSizes = (size: string): readonly string[] => [
  size,
  `000${size}`,
  `${size};x=y`,
  `${size};x="0\r\n\r\n"`,
  `${size} `,
  `0x${size}`,
  `+${size}`,
  `${size};\n0`,
  `${size}\r`,
  `1${"0".repeat(16)}${size}`,
];

/** Requests with another one hidden behind them, in each of the classic ways. None may ever be run. */
const tricks: Readonly<Record<string, (random: Random) => HostileCase>> = {
  /** Length and chunks at once: whoever goes by the chunks sees a second request. */
  lengthAndChunks(random) {
    const body = Buffer.concat([random.once(2) ? chunked(smallForm, 50) : Buffer.from("0\r\n\r\n"), Buffer.from(hidden)]);
    return later(post(random.pick(uploadPaths), body, { extra: [random.pick(oddTransferEncodings)] }));
  },
  /** The same with the lines the other way round. */
  chunksAndLength(random) {
    const body = Buffer.concat([chunked(smallForm, 50), Buffer.from(hidden)]);
    const lines = [random.pick(oddTransferEncodings), `Content-Length: ${body.length}`];
    return later(Buffer.concat([head(random.pick(uploadPaths), { extra: lines }), body]));
  },
  twoLengths(random) {
    const lines = [random.pick(oddLengths(smallForm.length))];
    return later(post(random.pick(uploadPaths), withEpilogue, { extra: lines }));
  },
  /** HTTP/1.0 knows no chunks. */
  oldVersion(random) {
    const request = post(random.pick(uploadPaths), Buffer.concat([chunked(smallForm, 9), Buffer.from(hidden)]), { extra: ["Transfer-Encoding: chunked", "Connection: keep-alive"] });
    return later(Buffer.from(request.toString("latin1").replace("HTTP/1.1", "HTTP/1.0"), "latin1"));
  },
  /** Whoever reads the chunk's size otherwise, or ends the body at "0", sees a second request in the chunk. */
  chunkSize(random) {
    const data = Buffer.concat([Buffer.from("0\r\n\r\n"), Buffer.from(hidden), smallForm]);
    const size = random.pick(oddChunkSizes(data.length.toString(16)));
    const end = random.once(2) ? "\r\n0\r\n\r\n" : "";
    const request = head(random.pick(uploadPaths), { extra: ["Transfer-Encoding: chunked"] });
    return later(Buffer.concat([request, Buffer.from(`${size}\r\n`), data, Buffer.from(end)]));
  },
  trailer(random) {
    const body = chunked(smallForm, 20);
    const request = head(random.pick(uploadPaths), { extra: ["Transfer-Encoding: chunked"] });
    return later(Buffer.concat([request, body.subarray(0, -2), Buffer.from(hidden)]));
  },
  epilogue: (random) => later(post(random.pick(uploadPaths), withEpilogue)),
  preamble: (random) => later(post(random.pick(uploadPaths), Buffer.concat([Buffer.from(`\r\n\r\n${hidden}`), smallForm]))),
  /** A request that is refused before its body has been read. */
  refused(random) {
    const options = random.pick([{ type: "text/plain" }, { type: null }, { method: "PUT" }, { method: "GET" }, { method: "DELETE" }, { method: "OPTIONS" }, { method: "HEAD" }]);
    return later(post(random.pick(uploadPaths), random.once(2) ? Buffer.from(hidden) : withEpilogue, { ...options, extra: ["Connection: keep-alive"] }));
  },
  /** A body that is refused in the middle, with the hidden request where reading stopped. */
  refusedInside(random) {
    const broken = Buffer.concat([smallForm.subarray(0, -2), Buffer.from(`x\r\n${hidden.repeat(random.pick([1, 500]))}`)]);
    return later(post(random.pick(uploadPaths), random.once(2) ? broken : Buffer.concat([Buffer.from(hidden), broken])));
  },
  expectation: (random) => later(post(random.pick(uploadPaths), withEpilogue, { extra: [`Expect: ${random.pick(["100-continue", "x", ""])}`] })),
  /** Line breaks in what the module writes into the form for the target. */
  inNames(random) {
    const text = random.pick([`a\r\n\r\n--XboundaryX--\r\n${hidden}`, `%0d%0a%0d%0a${hidden}`, `x\n\n${hidden}`]);
    const disposition = random.pick([`name="f"; filename="${text}"`, `name="${text}"; filename="f"`, `name="f"; filename*=UTF-8''${encodeURIComponent(text)}`]);
    return later(post(random.pick(uploadPaths), form([{ disposition, body: text }, { disposition: `name="n"`, body: text }])));
  },
  upgrade: (random) => later(post(random.pick(uploadPaths), withEpilogue, { extra: ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"] })),
};

export const smugglingGenerators: readonly Generator[] = Object.entries(tricks).map(([name, make]) => ({ name: `smuggling: ${name}`, weight: 2, make }));
