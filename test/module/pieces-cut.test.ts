import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestKeys } from "../helpers/matrix-http2.ts";
import { type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { digestField, pieceHead, piecesSite, readState, segmentHead, sendPiece, sha256 } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { chunked, form, head } from "../helpers/wire.ts";

let keys: TestKeys;
beforeAll(() => {
  keys = new TestKeys();
});
afterAll(() => keys.remove());

const SENT = 300_000;
const bytes = randomBytes(1_000_000);

/** One worker whose sockets have room for all that is sent before it looks, and whose buffers are large. */
const site = (more: Partial<NginxOptions> = {}, directives = ""): NginxOptions => {
  const listen = `listen 127.0.0.1:%PORT% rcvbuf=4m; listen 127.0.0.1:%TLS_PORT% ssl rcvbuf=4m; ${keys.directives}`;
  const options = piecesSite({ workers: 1, listen, ...more }, directives);
  return { ...options, server: options.server.replaceAll("buffer_size 64k;", "buffer_size 1m;") };
};

type Transport = "clear" | "TLS";
type Ending = "closes" | "closes its half" | "resets";

/** A connection to nginx, of TLS or not, that can end in every way. */
class Client {
  readonly #raw: Socket;
  readonly #stream: Socket;

  private constructor(raw: Socket, stream: Socket) {
    this.#raw = raw;
    this.#stream = stream;
  }

  static async open(nginx: Nginx, transport: Transport): Promise<Client> {
    const raw = connect({ port: transport === "TLS" ? nginx.tlsPort : nginx.port, host: "127.0.0.1", allowHalfOpen: true });
    const stream = transport === "TLS" ? connectTls({ socket: raw, host: "127.0.0.1", ca: keys.certificate }) : raw;
    for (const one of [raw, stream]) one.on("error", () => undefined);
    raw.setNoDelay(true);
    await once(stream, transport === "TLS" ? "secureConnect" : "connect");
    stream.resume();
    return new Client(raw, stream);
  }

  async write(piece: Buffer): Promise<void> {
    await new Promise((resolve) => this.#stream.write(piece, resolve));
  }

  end(how: Ending): void {
    if (how === "resets") this.#raw.resetAndDestroy();
    else if (how === "closes") this.#raw.destroy();
    else this.#raw.end();
  }
}

/** Does something while no worker runs: what it sends is read in one go. */
async function unseen(nginx: Nginx, act: () => Promise<void>): Promise<void> {
  const workers = nginx.workers();
  for (const pid of workers) process.kill(pid, "SIGSTOP");
  try {
    await act();
    await sleep(50);
  } finally {
    for (const pid of workers) process.kill(pid, "SIGCONT");
  }
}

/** Ways to write a head and what follows it: a list of pieces, of which the first `seen` come before the worker stops. */
const writes: Readonly<Record<string, (head: Buffer, body: Buffer) => { readonly seen: number; readonly pieces: readonly Buffer[] }>> = {
  "in one go": (first, body) => ({ seen: 0, pieces: [Buffer.concat([first, body])] }),
  "in several packets": (first, body) => ({ seen: 0, pieces: [first, body.subarray(0, 700), body.subarray(700, 90_000), body.subarray(90_000)] }),
  "behind a head that was read": (first, body) => ({ seen: 1, pieces: [first, body] }),
};

/** Sends what nginx reads in one go together with the end of the connection. */
async function cut(nginx: Nginx, transport: Transport, ending: Ending, { seen, pieces }: ReturnType<(typeof writes)[string]>): Promise<void> {
  const client = await Client.open(nginx, transport);
  for (const piece of pieces.slice(0, seen)) await client.write(piece);
  if (seen > 0) await sleep(50);
  await unseen(nginx, async () => {
    for (const piece of pieces.slice(seen)) await client.write(piece);
    await sleep(50);
    client.end(ending);
  });
}

const rows = (["clear", "TLS"] as const).flatMap((transport) =>
  (["closes", "closes its half", "resets"] as const).flatMap((ending) => Object.keys(writes).map((how) => [transport, ending, how] as const)),
);

describe("module: a piece whose body and end come together", () => {
  it.each(rows)("counts whole, over %s, when the client %s, sent %s", async (transport, ending, how) => {
    await withNginx(site(), async (nginx) => {
      const length = [`X-Length: ${bytes.length}`];
      for (const [i, from, coding] of [[0, 0, "length"], [1, 0, "chunks"], [2, 50_000, "length"]] as const) {
        const path = `${nginx.store}/file${i}`;
        if (from > 0) expect((await sendPiece(nginx.port, path, bytes, 0, from)).status).toBe(200);
        const body = bytes.subarray(from, from + SENT);
        const before = nginx.passed.length;
        const request =
          coding === "length"
            ? writes[how]!(pieceHead(path, from, bytes.length - from, length), body)
            : writes[how]!(pieceHead(path, from, null, [...length, "Transfer-Encoding: chunked"]), chunked(body, 70_000).subarray(0, -5));
        await cut(nginx, transport, ending, request);
        await nginx.until(() => nginx.passed.length > before, "the report");
        expect([fieldOf(nginx.passed.at(-1), "outcome"), fieldOf(nginx.passed.at(-1), "offset")]).toEqual(["aborted", String(from + SENT)]);
        expect(readState(`${path}.state`)).toMatchObject({ ranges: [[0, from + SENT]], claims: 0, complete: false, hashed: from + SENT });
        expect(readFileSync(path).equals(bytes.subarray(0, from + SENT))).toBe(true);
        expect((await sendPiece(nginx.port, path, bytes, from + SENT)).status).toBe(200);
        expect([fieldOf(nginx.passed.at(-1), "outcome"), fieldOf(nginx.passed.at(-1), "sha256")]).toEqual(["complete", sha256(bytes)]);
      }
    });
  });

  it.each(["default", "off"])("counts with a digest and a rate, upload_thread_pool %s", async (pool) => {
    await withNginx(site({}, `upload_thread_pool ${pool}; upload_limit_rate 1m;`), async (nginx) => {
      const path = `${nginx.store}/file`;
      const extra = [`X-Length: ${bytes.length}`, `Content-Digest: ${digestField(bytes)}`];
      await cut(nginx, "clear", "closes", writes["in one go"]!(pieceHead(path, 0, bytes.length, extra), bytes.subarray(0, SENT)));
      await nginx.until(() => nginx.passed.length > 0, "the report");
      expect([fieldOf(nginx.passed[0], "outcome"), fieldOf(nginx.passed[0], "offset")]).toEqual(["aborted", String(SENT)]);
    });
  });

  it("leaves nothing of one that has brought no byte", async () => {
    await withNginx(site({ keepsFiles: false }), async (nginx) => {
      const path = `${nginx.store}/file`;
      await cut(nginx, "clear", "closes", { seen: 0, pieces: [pieceHead(path, 0, bytes.length)] });
      await nginx.until(() => nginx.log().includes("client prematurely closed connection"), "the end");
      expect(nginx.passed).toEqual([]);
    });
  });
});

describe("module: bodies of which nothing is kept, and their end in one go", () => {
  const whole = form([{ disposition: 'name="file"; filename="a"', body: bytes }]);
  it.each([
    ["a form", (body: Buffer) => [head("/form", { length: whole.length }), body], whole],
    ["a segment", (body: Buffer) => [segmentHead("cut", 0, bytes.length, bytes.length), body], bytes],
    ["a new file", (body: Buffer) => [head("/new", { method: "PUT", type: "text/plain", length: bytes.length }), body], bytes],
  ] as const)("%s leaves nothing", async (_, request, all) => {
    const more = 'location /form { upload_pass @done; upload_pass_form_field ""; }';
    for (const how of Object.keys(writes)) {
      await withNginx(site({ keepsFiles: false }, more), async (nginx) => {
        const [first, body] = request(all.subarray(0, SENT));
        for (const ending of ["closes", "closes its half", "resets"] as const) {
          await cut(nginx, "clear", ending, writes[how]!(first!, body!));
        }
        await nginx.until(() => nginx.files().length === 0, "the files to go");
        expect(nginx.passed).toEqual([]);
      });
    }
  });
});
