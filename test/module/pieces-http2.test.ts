import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fieldBlock, flags, frame, frameTypes, uint32 } from "../hostile/frames.ts";
import { generator } from "../helpers/e2e-random.ts";
import { connectionStart, FrameClient } from "../helpers/hostile-http2.ts";
import { TestKeys } from "../helpers/matrix-http2.ts";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { piecesSite, readState, sha256 } from "../helpers/pieces.ts";
import { leastOf, longestButOne, timeOf } from "../helpers/steady.ts";
import { fieldOf } from "../helpers/upload-site.ts";

let keys: TestKeys;
beforeAll(() => {
  keys = new TestKeys();
});
afterAll(() => keys.remove());

const SIZE = 2_000_000;
const SECOND = 1000;

const listens = {
  clear: () => "listen 127.0.0.1:%PORT%; listen 127.0.0.1:%TLS_PORT% http2;",
  TLS: () => `listen 127.0.0.1:%PORT%; listen 127.0.0.1:%TLS_PORT% ssl http2; ${keys.directives}`,
} as const;

function open(nginx: Nginx, transport: keyof typeof listens): http2.ClientHttp2Session {
  const session = transport === "TLS" ? http2.connect(`https://127.0.0.1:${nginx.tlsPort}`, { ca: keys.certificate }) : http2.connect("http://localhost", { createConnection: () => connect(nginx.tlsPort, "127.0.0.1") });
  return session.on("error", () => undefined);
}

/** The headers of a request for a piece, or a segment, from an offset to the file's end. */
const requests: Readonly<Record<string, (nginx: Nginx, name: string, from: number) => http2.OutgoingHttpHeaders>> = {
  raw: (nginx, name, from) => ({ ":method": "PATCH", ":path": "/piece", "x-path": `${nginx.store}/${name}`, "x-offset": from, "x-length": SIZE }),
  ranged: (_, name, from) => ({ ":method": "POST", ":path": "/ranged", "session-id": name, "content-range": `bytes ${from}-${SIZE - 1}/${SIZE}` }),
};

/** Ways for a client to give a request up. */
const aborts: Readonly<Record<string, (client: FrameClient) => void>> = {
  "RST_STREAM, cancel": (client) => client.write(frame(frameTypes.rstStream, 0, 1, uint32(8))),
  "RST_STREAM, no error": (client) => client.write(frame(frameTypes.rstStream, 0, 1, uint32(0))),
  GOAWAY: (client) => {
    client.write(frame(frameTypes.goAway, 0, 0, Buffer.concat([uint32(0), uint32(2)])));
    client.destroy();
  },
  "a closed connection": (client) => client.destroy(),
  "the head of a frame": (client) => {
    client.write(frame(frameTypes.data, 0, 1, Buffer.alloc(0), 1000).subarray(0, 9));
    client.destroy();
  },
};

const body = (headers: http2.OutgoingHttpHeaders): http2.OutgoingHttpHeaders => ({ ...headers, "content-type": "application/octet-stream" });

/** Bytes that every server takes before it says that it takes more. */
const WINDOW = 65_000;

/** Sends some of a body, no more than a window, in frames of any size, waits, so many milliseconds or until nginx has begun, and gives up. */
async function abortAfter(nginx: Nginx, transport: keyof typeof listens, headers: http2.OutgoingHttpHeaders, bytes: Buffer, abort: (typeof aborts)[string], pause?: number): Promise<void> {
  const random = generator(bytes.length);
  const before = nginx.files().length;
  const client = await FrameClient.open(nginx.tlsPort, transport === "TLS" ? keys.certificate : undefined);
  const fields = Object.entries({ ...body(headers), ":scheme": "http", ":authority": "localhost" }).map(([name, value]) => [name, String(value)] as const);
  const ordered = fields.sort(([one], [other]) => Number(other.startsWith(":")) - Number(one.startsWith(":")));
  client.write(Buffer.concat([connectionStart, frame(frameTypes.headers, flags.endHeaders, 1, fieldBlock(ordered))]));
  for (let at = 0; at < bytes.length; ) {
    const size = random.integer(1, 16_384);
    client.write(frame(frameTypes.data, 0, 1, bytes.subarray(at, at + size)));
    at += size;
    if (random.integer(0, 2) === 0) await sleep(random.integer(0, 5));
  }
  // A connection that is broken off takes with it what nginx has not read, the request itself included.
  if (pause === undefined) await nginx.until(() => nginx.files().length > before, "the request to begin");
  await sleep(pause ?? 20);
  abort(client);
  // A stream that is reset leaves its connection open.
  setTimeout(() => client.destroy(), 500).unref();
}

/** Sends a whole body. @returns the status */
async function send(nginx: Nginx, transport: keyof typeof listens, headers: http2.OutgoingHttpHeaders, bytes: Buffer): Promise<number> {
  const session = open(nginx, transport);
  try {
    const stream = session.request(body(headers), { endStream: false });
    return await new Promise<number>((resolve, reject) => {
      stream.on("response", (answer) => resolve(Number(answer[":status"])));
      stream.on("error", reject);
      stream.end(bytes);
    });
  } finally {
    session.destroy();
  }
}

describe.each(["clear", "TLS"] as const)("module: a piece over HTTP/2, %s, that is given up with", (transport) => {
  it.each(Object.keys(aborts))("%s, counts as far as it came, and the next one goes on at once", async (way) => {
    await withNginx(piecesSite({ listen: listens[transport]() }), async (nginx) => {
      const random = generator(way.length);
      const times: number[] = [];
      for (let round = 0; round < 4; round++) {
        const name = `f${round}`;
        const bytes = randomBytes(SIZE);
        const cut = random.integer(1, WINDOW);
        await abortAfter(nginx, transport, requests["raw"]!(nginx, name, 0), bytes.subarray(0, cut), aborts[way]!);
        const began = performance.now();
        const reports = (): typeof nginx.passed => nginx.passed.filter((passed) => fieldOf(passed, "path") === `${nginx.store}/${name}`);
        await nginx.until(() => reports().length === 1, "the report");
        expect(fieldOf(reports()[0], "outcome")).toBe("aborted");
        const offset = Number(fieldOf(reports()[0], "offset"));
        expect(offset).toBeLessThanOrEqual(cut);
        expect(await send(nginx, transport, requests["raw"]!(nginx, name, offset), bytes.subarray(offset))).toBe(200);
        times.push(performance.now() - began);
        expect(fieldOf(reports()[1], "outcome")).toBe("complete");
        expect(fieldOf(reports()[1], "sha256")).toBe(sha256(bytes));
        expect(readFileSync(`${nginx.store}/${name}`).equals(bytes)).toBe(true);
      }
      expect(longestButOne(times), "milliseconds").toBeLessThan(SECOND);
    });
  });

  it.each(Object.keys(aborts))("%s, when it is a ranged segment, leaves nothing, and the next one is taken at once", async (way) => {
    const takenAfter = async (): Promise<number> => {
      let took = Infinity;
      await withNginx(piecesSite({ listen: listens[transport]() }), async (nginx) => {
        const bytes = randomBytes(SIZE);
        await abortAfter(nginx, transport, requests["ranged"]!(nginx, "s", 0), bytes.subarray(0, WINDOW), aborts[way]!);
        await nginx.until(() => nginx.log().includes("/ranged") && nginx.files().length === 0, "the files to go");
        await abortAfter(nginx, transport, requests["ranged"]!(nginx, "s", 0), bytes.subarray(0, WINDOW), aborts[way]!);
        took = await timeOf(async () => expect(await send(nginx, transport, requests["ranged"]!(nginx, "s", 0), bytes)).toBe(200));
        expect(fieldOf(nginx.passed[0], "sha256")).toBe(sha256(bytes));
      });
      return took;
    };
    expect(await leastOf(SECOND, takenAfter), "milliseconds").toBeLessThan(SECOND);
  });

  it("that ends before its Content-Length, counts as far as it came", async () => {
    await withNginx(piecesSite({ listen: listens[transport]() }), async (nginx) => {
      const bytes = randomBytes(SIZE);
      let tries = 0;
      const takenAfter = async (): Promise<number> => {
        const name = `short${(tries += 1)}`;
        const headers = requests["raw"]!(nginx, name, 0);
        expect(await send(nginx, transport, { ...headers, "content-length": SIZE }, bytes.subarray(0, 1_000_000)).catch(() => "no answer")).toBe(400);
        const took = await timeOf(async () => {
          expect(await send(nginx, transport, headers, Buffer.alloc(0))).toBe(200);
          const offset = Number(fieldOf(nginx.passed.at(-1), "offset"));
          expect(offset).toBeLessThanOrEqual(1_000_000);
          expect(offset).toBeGreaterThan(800_000);
          expect(await send(nginx, transport, requests["raw"]!(nginx, name, offset), bytes.subarray(offset))).toBe(200);
        });
        expect(fieldOf(nginx.passed.at(-1), "sha256")).toBe(sha256(bytes));
        return took;
      };
      expect(await leastOf(SECOND, takenAfter), "milliseconds").toBeLessThan(SECOND);
    });
  });

  // nginx learns of it where it says that more may come, which core takes for a failure of its own.
  it("while nginx asks for more, is reported all the same", async () => {
    await withNginx(piecesSite({ listen: listens[transport](), workers: 2 }), async (nginx) => {
      const bytes = randomBytes(SIZE);
      const written = (): string[] => nginx.files().filter((path) => !path.endsWith(".state"));
      // A connection that is broken off takes with it what nginx has not read: how many requests begin the machine decides.
      for (let round = 0; round < 80 || (round < 800 && written().length <= 40); round++) {
        await abortAfter(nginx, transport, requests["raw"]!(nginx, `g${round}`, 0), bytes.subarray(0, 1 + ((round * 37) % 3000)), aborts["GOAWAY"]!, round % 4);
      }
      await sleep(300);
      expect(written().length).toBeGreaterThan(40);
      const unreported = (): string[] => {
        const reported = new Set(nginx.passed.map((passed) => fieldOf(passed, "path")));
        return written().filter((path) => !reported.has(path));
      };
      await nginx.until(() => unreported().length === 0, `reports of ${unreported().join()}`);
      expect(new Set(nginx.passed.map((passed) => fieldOf(passed, "outcome")))).toEqual(new Set(["aborted"]));
    });
  });

  it("at any moment, leaves nothing of a ranged segment, and no raw piece without a state", async () => {
    await withNginx(piecesSite({ listen: listens[transport](), workers: 2 }), async (nginx) => {
      const random = generator(7);
      const ways = Object.values(aborts);
      const bytes = randomBytes(SIZE);
      for (let round = 0; round < 60; round++) {
        const kind = round % 2 === 0 ? "raw" : "ranged";
        const sent = bytes.subarray(0, random.integer(0, 3000));
        await abortAfter(nginx, transport, requests[kind]!(nginx, `r${round}`, 0), sent, ways[round % ways.length]!, random.integer(0, 2));
      }
      await sleep(300);
      const ranged = (): string[] => nginx.files().filter((path) => path.includes("/r") && Number(/\/r(\d+)/.exec(path)![1]) % 2 === 1);
      const raw = (): string[] => nginx.files().filter((path) => !path.endsWith(".state"));
      // Of a connection that broke before a byte was written the target need not hear; nothing of it may count or stay claimed.
      const silent = (): unknown[] => raw().filter((path) => !nginx.passed.some((passed) => fieldOf(passed, "path") === path))
        .map((path) => readState(`${path}.state`)).filter(({ ranges, claims }) => ranges.length > 0 || claims > 0);
      await nginx.until(() => ranged().length === 0 && silent().length === 0, "the end of all requests");
      expect(nginx.files().filter((path) => path.endsWith(".state"))).toEqual(raw().map((path) => `${path}.state`));
    });
  });
});
