import { readFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { connectionStart, FrameClient, uploadFrames } from "../helpers/hostile-http2.ts";
import { frame, frameTypes, uint32 } from "../hostile/frames.ts";
import { type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { classicFields, fieldOf } from "../helpers/upload-site.ts";
import { boundary, chunked, exchange, form, head, post, WireClient } from "../helpers/wire.ts";

const content = Buffer.alloc(40_000, "content ");
const small = form([{ disposition: 'name="file"; filename="next"', body: "next" }]);

/** A body with a preamble and an epilogue, and where each of its phases is. */
const pieces = {
  preamble: Buffer.from(`${"preamble ".repeat(20)}\r\n`),
  "a part's header": Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nX-Long: ${"x".repeat(100)}\r\n\r\n`),
  "a file": content,
  "a boundary": Buffer.from(`\r\n--${boundary}\r\n`),
  "a field": Buffer.from(`Content-Disposition: form-data; name="note"\r\n\r\n${"note ".repeat(50)}\r\n--${boundary}--\r\n`),
  "the epilogue": Buffer.from("epilogue ".repeat(100)),
};
const body = Buffer.concat(Object.values(pieces));

/** Bytes of the body up to the middle of each phase. */
const phases = Object.entries(pieces).map(([name, piece], i, all) => {
  const before = all.slice(0, i).reduce((length, [, { length: one }]) => length + one, 0);
  return [name, before + Math.floor(piece.length / 2)] as const;
});

const site = (more: Partial<NginxOptions> = {}): NginxOptions => ({
  listen: "listen 127.0.0.1:%PORT%; listen 127.0.0.1:%TLS_PORT% http2;",
  http: "lingering_timeout 1s; lingering_time 1s;",
  server: `
    location /upload {
      upload_pass @done;
      upload_store %STORE% 1;
      ${classicFields}
      client_body_buffer_size 4k;
    }
    location @done { proxy_pass http://%UPSTREAM%; }
    location = /status { stub_status; }`,
  ...more,
});

/** A client that leaves. */
interface Leaver {
  write(bytes: Buffer): void;
  destroy(): void;
  reset(): void;
}

/** Clients, what they write for so many bytes of the body, and how they leave. */
const clients = {
  "HTTP/1.1": {
    open: ({ port }: Nginx): Promise<Leaver> => WireClient.open(port),
    start: (length: number) => Buffer.concat([head("/upload", { length: body.length }), body.subarray(0, length)]),
  },
  "HTTP/1.1, chunks": {
    open: ({ port }: Nginx): Promise<Leaver> => WireClient.open(port),
    start: (length: number) => Buffer.concat([head("/upload", { extra: ["Transfer-Encoding: chunked"] }), chunked(body.subarray(0, length), 999).subarray(0, -5)]),
  },
  "HTTP/2": {
    open: ({ tlsPort }: Nginx): Promise<Leaver> => FrameClient.open(tlsPort),
    start: (length: number) => Buffer.concat([connectionStart, ...uploadFrames("/upload", body.subarray(0, length), length === body.length)]),
  },
} as const;

const resetStream = frame(frameTypes.rstStream, 0, 1, uint32(8));
const goAway = frame(frameTypes.goAway, 0, 0, Buffer.alloc(8));

type Leaving = readonly [name: string, leave: (client: Leaver) => void];
const byTcp: readonly Leaving[] = [
  ["closes", (client) => client.destroy()],
  ["resets", (client) => client.reset()],
];
const byFrame: readonly Leaving[] = [
  ["resets the stream", (client) => client.write(resetStream)],
  ["resets the stream twice and writes on", (client) => client.write(Buffer.concat([resetStream, resetStream, frame(frameTypes.data, 0, 1, Buffer.alloc(500))]))],
  ["says GOAWAY and closes", (client) => (client.write(goAway), client.destroy())],
];

const activeConnections = async ({ port }: Nginx): Promise<number> => {
  const { body: text } = await exchange(port, head("/status", { method: "GET", type: null, extra: ["Connection: close"] }));
  return Number(/Active connections: (\d+)/.exec(text)?.[1]) - 1;
};

/** Waits until no connection and no file is left. */
async function expectNothingLeft(nginx: Nginx, what: string): Promise<void> {
  let connections = -1;
  for (let i = 0; i < 500 && (connections !== 0 || nginx.files().length > 0); i++) connections = await activeConnections(nginx);
  expect({ connections, files: nginx.files() }, what).toEqual({ connections: 0, files: [] });
}

const cases = Object.entries(clients).flatMap(([kind, client]) => {
  const leavings = kind === "HTTP/2" ? [...byTcp, ...byFrame] : byTcp;
  return leavings.map(([name, leave]) => [kind, name, client, leave] as const);
});

describe("module: a client that leaves", () => {
  it.each(cases)("%s: it %s, in every phase of the body", async (_kind, name, client, leave) => {
    await withNginx(site(), async (nginx) => {
      for (const [phase, length] of phases) {
        const leaver = await client.open(nginx);
        leaver.write(client.start(length));
        if (length > phases[1]![1]) await nginx.until(() => nginx.files().length === 1, `a file, in ${phase}`);
        else await turn();
        leave(leaver);
        await nginx.until(() => nginx.files().length === 0, `the file to go, in ${phase}`);
        leaver.destroy();
        await expectNothingLeft(nginx, `${name} in ${phase}`);
        expect(nginx.passed, phase).toEqual([]);
      }
      for (const length of [1, 20, 60]) {
        const leaver = await client.open(nginx);
        leaver.write(client.start(0).subarray(0, length));
        await turn();
        leave(leaver);
        leaver.destroy();
      }
      await expectNothingLeft(nginx, `${name} in the head`);
      expect(nginx.passed).toEqual([]);
    });
  });

  it.each(cases)("%s: it %s while the target thinks", async (_kind, name, client, leave) => {
    await withNginx(site({ answer: () => undefined }), async (nginx) => {
      const leaver = await client.open(nginx);
      const all = client.start(body.length);
      leaver.write(client === clients["HTTP/1.1, chunks"] ? Buffer.concat([all, Buffer.from("0\r\n\r\n")]) : all);
      await nginx.until(() => nginx.passed.length === 1, "the target to be asked");
      expect(nginx.files()).toHaveLength(1);
      leave(leaver);
      await nginx.until(() => nginx.files().length === 0, "the file to go");
      leaver.destroy();
      await expectNothingLeft(nginx, name);
    });
  });

  it.each(cases)("%s: it %s while it is sent the answer: the file is the target's", async (_kind, name, client, leave) => {
    const answer = () => ({ status: 200, body: "long ".repeat(2_000_000) });
    await withNginx(site({ answer, keepsFiles: true }), async (nginx) => {
      const leaver = await client.open(nginx);
      const all = client.start(body.length);
      leaver.write(client === clients["HTTP/1.1, chunks"] ? Buffer.concat([all, Buffer.from("0\r\n\r\n")]) : all);
      await nginx.until(() => nginx.passed.length === 1, "the target to be asked");
      if (leaver instanceof FrameClient) expect(await leaver.status()).toBe(200);
      else await nginx.until(() => (leaver as WireClient).receivedBytes > 0, "the answer to begin");
      leave(leaver);
      leaver.destroy();
      for (let i = 0; i < 500 && (await activeConnections(nginx)) > 0; i++);
      expect(await activeConnections(nginx), name).toBe(0);
      expect(readFileSync(fieldOf(nginx.passed[0], "file.path")!).equals(content)).toBe(true);
    });
  });

  it("goes for good: the next upload of others is whole", async () => {
    await withNginx(site({ keepsFiles: true }), async (nginx) => {
      for (const [, , client, leave] of cases) {
        const leaver = await client.open(nginx);
        leaver.write(client.start(phases[2]![1]));
        await turn();
        leave(leaver);
        expect((await exchange(nginx.port, post("/upload", small))).status).toBe(200);
        expect(readFileSync(fieldOf(nginx.passed.at(-1), "file.path")!, "utf8")).toBe("next");
        leaver.destroy();
      }
    });
  });
});
