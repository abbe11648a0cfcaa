import { chunked, form, head, type HeadOptions, post } from "../helpers/wire.ts";
import { cut, type Ending, type Generator, http1 } from "./case.ts";
import { brokenForm, goodForm, oddContentType, smallForm, uploadPaths } from "./forms.ts";
import type { Random } from "./random.ts";

/** How the target is to answer; `ok` takes the files as it should. */
const targets = ["ok", "ok", "ok", "error", "slow", "reset"] as const;

/** Header lines that go with most cases: what the target is to do, and whether the client will wait for it. */
function extra(random: Random, ending: Ending, ...more: readonly string[]): string[] {
  return [`X-Target: ${random.pick(targets)}`, ...(ending === "answer" ? ["X-Waits: yes"] : []), ...more];
}

const leaving = (random: Random): Ending => random.pick(["answer", "answer", "answer", "answer", "end", "close", "reset"]);

/** Statuses of a target that answers an error, or resets. */
const fromTarget = [422, 502];

function upload(random: Random, body: Buffer, options: HeadOptions = {}): ReturnType<typeof http1> {
  const ending = leaving(random);
  const lines = extra(random, ending, ...(options.extra ?? []));
  const path = random.pick(uploadPaths);
  const isChunked = random.once(3);
  const request = isChunked
    ? Buffer.concat([head(path, { ...options, extra: [...lines, "Transfer-Encoding: chunked"] }), chunked(body, random.pick([1, 7, 100, 5000]))])
    : post(path, body, { ...options, extra: lines });
  return http1(cut(random, request), ending, { alsoStatus: fromTarget, whole: 1 });
}

const lengths = (body: Buffer, random: Random): string =>
  random.pick([`-${body.length}`, "-1", "+5", "0x10", "5 5", "", "9223372036854775807", "9223372036854775808", "99999999999999999999999", `${body.length}\t`, "1e3", "0"]);

/** Chunk framing that is broken in one place. */
function brokenChunks(random: Random, body: Buffer): Buffer {
  const good = chunked(body, random.pick([5, 60, 1000])).toString("latin1");
  const sizes = ["0x5", "-5", "+5", "g", "", " 5", "5 ", "ffffffffffffffff", "7fffffffffffffff", "10000000000000000", "0000000000000000000000000000005"];
  const size = random.pick(sizes);
  const edits: readonly (() => string)[] = [
    () => good.replace(/^[0-9a-f]+/, size),
    () => good.replace("\r\n", `;${random.text(random.pick([1, 20, 9000]))}\r\n`),
    () => good.replace("\r\n", ';a="\n"\r\n'),
    () => good.replaceAll("\r\n", "\n"),
    () => good.replace(/0\r\n\r\n$/, `0\r\nX-Trailer: ${"t".repeat(random.pick([1, 5000]))}\r\n\r\n`),
    () => good.replace(/0\r\n\r\n$/, "0\r\nX-Trailer: cut"),
    () => good.replace(/0\r\n\r\n$/, ""),
    () => good.slice(0, random.integer(0, good.length)),
    () => good.slice(0, 10) + good.slice(11),
    () => `0\r\n${good}`,
    () => "1".repeat(random.pick([15, 16, 17, 5000])),
  ];
  return Buffer.from(random.pick(edits)(), "latin1");
}

const expectations = ["100-continue", "100-Continue", "100-continue, 100-continue", "200-ok", "", "100-continue;a=b"];

const methods = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "post", "POSTX", "X"];

/** Clients of HTTP/1.1 that get it wrong, each in its own manner. */
export const http1Generators: readonly Generator[] = [
  { name: "good form", weight: 4, make: (random) => upload(random, goodForm(random)) },
  { name: "broken form", weight: 30, make: (random) => upload(random, brokenForm(random)) },
  { name: "odd Content-Type", weight: 6, make: (random) => upload(random, goodForm(random), { type: oddContentType(random) }) },
  {
    name: "two Content-Types",
    weight: 1,
    make: (random) => upload(random, smallForm, { extra: [`Content-Type: ${oddContentType(random)}`] }),
  },
  {
    name: "length too long",
    weight: 5,
    make(random) {
      const body = random.once(2) ? goodForm(random) : brokenForm(random);
      const request = head(random.pick(uploadPaths), { length: body.length + random.pick([1, 2, 40, 1e6, 1e15]) });
      return http1(cut(random, Buffer.concat([request, body])), random.once(40) ? "answer" : random.pick(["silence", "close", "reset"]), { alsoStatus: [507] });
    },
  },
  {
    name: "length too short",
    weight: 5,
    make(random) {
      const body = goodForm(random);
      const request = head(random.pick(uploadPaths), { length: Math.max(0, body.length - random.integer(1, 60)) });
      return http1(cut(random, Buffer.concat([request, body])), random.pick(["answer", "silence", "end", "reset"]), { whole: 1 });
    },
  },
  {
    name: "name of a generated field",
    weight: 2,
    make(random) {
      const name = random.pick(['name="_path"', "name=_path", 'NAME="_size"', '  name = "_md5" ', 'x=y; name="_field"', "name*=UTF-8''%5fpath; name=\"_path\""]);
      const body = form([{ disposition: name, body: "/etc/passwd" }, { disposition: 'name="file"; filename="a"', body: "content" }]);
      return http1(cut(random, post(random.pick(uploadPaths), body, { extra: ["X-Waits: yes"] })), "answer", { firstStatus: [400, 413], whole: 1 });
    },
  },
  {
    name: "byte by byte",
    weight: 2,
    make(random) {
      const request = post(random.pick(uploadPaths), random.once(2) ? smallForm : brokenForm(random).subarray(0, 1000), { extra: extra(random, "answer") });
      // The head is nginx's to read, and has to be there within a time of its own, which a busy machine takes.
      const body = request.indexOf("\r\n\r\n") + 4;
      const bytes = Array.from({ length: request.length - body }, (_, i) => request.subarray(body + i, body + i + 1));
      return http1([request.subarray(0, body), ...bytes], "answer", { alsoStatus: fromTarget, whole: 1 });
    },
  },
  {
    name: "odd length",
    weight: 4,
    make(random) {
      const body = goodForm(random);
      const lines = [`Content-Length: ${lengths(body, random)}`, ...(random.once(3) ? [`Content-Length: ${body.length}`] : [])];
      return http1([head(random.pick(uploadPaths), { extra: lines }), body], random.once(40) ? "answer" : "silence", { alsoStatus: [507] });
    },
  },
  {
    name: "broken chunks",
    weight: 10,
    make(random) {
      const body = brokenChunks(random, goodForm(random));
      const request = head(random.pick(uploadPaths), { extra: ["Transfer-Encoding: chunked"] });
      return http1(cut(random, Buffer.concat([request, body])), random.once(40) ? "answer" : random.pick(["silence", "close", "reset"]));
    },
  },
  {
    name: "Expect",
    weight: 4,
    make(random) {
      const body = random.once(2) ? goodForm(random) : brokenForm(random);
      const request = head(random.pick(uploadPaths), { length: body.length, extra: [`Expect: ${random.pick(expectations)}`] });
      return http1(random.pick([[request], [request, body], [request, body.subarray(0, 20)]]), "silence", { pause: random.pick([0, 0, 5]) });
    },
  },
  {
    name: "pipelined behind an error",
    weight: 5,
    make(random) {
      const one = (): Buffer => post(random.pick(uploadPaths), random.once(2) ? brokenForm(random) : smallForm, random.once(3) ? { type: "a/b" } : {});
      return http1(cut(random, Buffer.concat(Array.from({ length: random.integer(2, 5) }, one))), random.pick(["silence", "close", "reset"]));
    },
  },
  {
    name: "methods",
    weight: 3,
    make: (random) => upload(random, smallForm, { method: random.once(5) ? random.text(8) : random.pick(methods) }),
  },
  {
    name: "broken head",
    weight: 6,
    make(random) {
      const request = Buffer.from(post(random.pick(uploadPaths), smallForm));
      for (let i = random.integer(1, 3); i > 0; i--) request[random.integer(0, 130)] = random.integer(0, 255);
      // The target may refuse what nginx passes on of it.
      return http1(cut(random, request), random.pick(["silence", "close", "reset"]), { alsoStatus: [502] });
    },
  },
  {
    name: "many headers",
    weight: 1,
    make(random) {
      const lines = Array.from({ length: random.pick([50, 500]) }, (_, i) => `X-H${i}: ${"v".repeat(random.pick([1, 60]))}`);
      return upload(random, smallForm, { extra: [...lines, `X-Long: ${"l".repeat(random.pick([100, 7000, 9000]))}`] });
    },
  },
  {
    name: "abort at a byte",
    weight: 12,
    make(random) {
      const request = post(random.pick(uploadPaths), random.once(2) ? smallForm : goodForm(random));
      return http1(cut(random, request.subarray(0, random.integer(0, request.length))), random.pick(["close", "reset"]), { pause: random.pick([0, 0, 2]) });
    },
  },
  {
    name: "stall",
    weight: 2,
    make(random) {
      const request = post(random.pick(uploadPaths), goodForm(random), { extra: ["X-Target: slow"] });
      return http1(cut(random, request.subarray(0, random.integer(1, request.length))), random.pick(["silence", "close", "reset"]), { pause: random.pick([10, 50, 400]) });
    },
  },
];
