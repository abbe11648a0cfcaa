import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http2 from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestKeys } from "../helpers/matrix-http2.ts";
import { type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { bestOf, leastOf, longestButOne, timeOf } from "../helpers/steady.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { head, WireClient } from "../helpers/wire.ts";

const MIB = 1024 * 1024;
const type = "application/octet-stream";
const sum = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

const options: NginxOptions = {
  server: `
    upload_store %STORE%; client_body_buffer_size 1m; upload_buffer_size 1m; client_body_timeout 2s;
    upload_aggregate_form_field sha256 "$upload_file_sha256";
    location /new { upload_pass @done; upload_raw on; }
    location /small { upload_pass @done; upload_raw on; upload_max_file_size 3m; }
    location /get { return 200 "here"; }
    location @done { proxy_pass http://%UPSTREAM%; }`,
  keepsFiles: true,
};

const put = (path: string, length: number): Buffer => head(path, { method: "PUT", type, length });
const get = Buffer.from("GET /get HTTP/1.1\r\nHost: x\r\n\r\n");

// From 1 MiB on the worker is woken for every 256 KiB only; these send less than that at a time.
describe("module: a worker that is not woken for every packet", () => {
  it("does not take a client that has become slow for a silent one", async () => {
    const sendSlowly = async (): Promise<number | undefined> => {
      let status: number | undefined;
      await withNginx(options, async (site) => {
        const bytes = randomBytes(3 * MIB + 20_000);
        const client = await WireClient.open(site.port);
        client.write(put("/new", bytes.length));
        client.write(bytes.subarray(0, 2 * MIB));
        for (let from = 2 * MIB; from < 2 * MIB + 20_000; from += 2_000) {
          await sleep(500);
          client.write(bytes.subarray(from, from + 2_000));
        }
        client.write(bytes.subarray(2 * MIB + 20_000));
        status = await client.answer().then((answer) => answer.status, () => undefined);
        if (status === 200) expect(fieldOf(site.passed[0], "sha256")).toBe(sum(bytes));
        client.destroy();
      });
      return status;
    };
    // A machine that stands still makes any client a silent one.
    expect(await bestOf((status) => status === 200, sendSlowly)).toBe(200);
  });

  it("still takes a client that is silent for one", async () => {
    const givenUpAfter = async (): Promise<number> => {
      let took = Infinity;
      await withNginx(options, async (site) => {
        const client = await WireClient.open(site.port);
        client.write(put("/new", 8 * MIB));
        client.write(randomBytes(2 * MIB + 1_000));
        took = await timeOf(() => client.closed());
        expect(took).toBeGreaterThan(1_500);
        expect(site.passed).toHaveLength(0);
        expect(site.files()).toEqual([]);
      });
      return took;
    };
    // Once for the bytes that the worker has not heard of, once for the silence.
    expect(await leastOf(6_000, givenUpAfter), "milliseconds").toBeLessThan(6_000);
  });

  it("hears of the next request on the connection", async () => {
    await withNginx(options, async (site) => {
      const heardAfter = async (): Promise<number> => {
        const client = await WireClient.open(site.port);
        const bytes = randomBytes(5 * MIB);
        client.write(put("/new", bytes.length));
        for (let from = 0; from < bytes.length; from += 100_000) {
          client.write(bytes.subarray(from, from + 100_000));
          await sleep(1);
        }
        expect((await client.answer()).status).toBe(200);
        client.write(get);
        const took = await timeOf(async () => expect((await client.answer()).body).toBe("here"));
        client.destroy();
        return took;
      };
      expect(await leastOf(1_000, heardAfter), "milliseconds").toBeLessThan(1_000);
    });
  });

  it("hears of a client that goes away", async () => {
    await withNginx(options, async (site) => {
      const heardAfter = async (): Promise<number> => {
        const client = await WireClient.open(site.port);
        client.write(put("/new", 8 * MIB));
        client.write(randomBytes(2 * MIB + 1_000));
        await site.until(() => site.files().length === 1, "a file");
        await sleep(200);
        client.destroy();
        return timeOf(() => site.until(() => site.files().length === 0, "the file to go"));
      };
      // Before it is given up for its silence.
      expect(await leastOf(1_500, heardAfter), "milliseconds").toBeLessThan(1_500);
    });
  });

  it("refuses in the middle, and the client gets the answer", async () => {
    await withNginx(options, async (site) => {
      const client = await WireClient.open(site.port);
      client.write(put("/small", 8 * MIB));
      client.write(randomBytes(8 * MIB));
      expect((await client.answer()).status).toBe(413);
      client.destroy();
      expect(site.files()).toEqual([]);
    });
  });
});

/** Its answer's status. */
const statusOf = async (stream: http2.ClientHttp2Stream): Promise<number> => {
  const [answer] = (await once(stream, "response")) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
  stream.resume();
  return answer[":status"] ?? 0;
};

describe("module: a worker that is not woken for every packet of HTTP/2", () => {
  let keys: TestKeys;
  beforeAll(() => (keys = new TestKeys()));
  afterAll(() => keys.remove());

  const withStream = async (length: number, body: (upload: http2.ClientHttp2Stream, session: http2.ClientHttp2Session, site: Nginx) => Promise<void>): Promise<void> => {
    const listen = `listen 127.0.0.1:%PORT%; listen 127.0.0.1:%TLS_PORT% ssl http2; ${keys.directives}`;
    await withNginx({ ...options, listen }, async (site) => {
      const session = http2.connect(`https://127.0.0.1:${site.tlsPort}`, { ca: keys.certificate });
      const upload = session.request({ ":method": "PUT", ":path": "/new", "content-type": type, "content-length": `${length}` });
      try {
        await body(upload, session, site);
      } finally {
        session.destroy();
      }
    });
  };

  it("hears of another request on the connection while the upload stands still", async () => {
    await withStream(8 * MIB, async (upload, session) => {
      upload.write(randomBytes(2 * MIB));
      await sleep(300);
      // 1,000 bytes are no reason to wake the worker, and neither is the request behind them.
      const times: number[] = [];
      for (let turn = 0; turn < 5; turn++) {
        upload.write(randomBytes(MIB + 1_000));
        // A request goes out before the data that wait.
        await sleep(50);
        times.push(await timeOf(async () => expect(await statusOf(session.request({ ":path": "/get" }))).toBe(200)));
      }
      expect(longestButOne(times), "milliseconds").toBeLessThan(1_000);
    });
  });

  it("hears of a client that gives its upload up and keeps the connection", async () => {
    let heardAfter = 0;
    const giveUp = (): Promise<void> => withStream(8 * MIB, async (upload, session, site) => {
      upload.on("error", () => undefined).write(randomBytes(3 * MIB + 1_000));
      await site.until(() => site.files().length === 1, "a file");
      await sleep(300);
      upload.close(http2.constants.NGHTTP2_CANCEL);
      heardAfter = await timeOf(() => site.until(() => site.files().length === 0, "the file to go"));
      expect(await statusOf(session.request({ ":path": "/get" }))).toBe(200);
    });
    // Before it is given up for its silence.
    expect(await leastOf(1_000, async () => (await giveUp(), heardAfter)), "milliseconds").toBeLessThan(1_000);
  });

  it("takes all of an upload that comes fast, slowly and fast again", async () => {
    const bytes = randomBytes(9 * MIB + 20_000);
    await withStream(bytes.length, async (upload, _, site) => {
      const answered = statusOf(upload);
      upload.write(bytes.subarray(0, 4 * MIB));
      for (let from = 4 * MIB; from < 4 * MIB + 20_000; from += 2_000) {
        await sleep(100);
        upload.write(bytes.subarray(from, from + 2_000));
      }
      upload.end(bytes.subarray(4 * MIB + 20_000));
      expect(await answered).toBe(200);
      expect(fieldOf(site.passed[0], "sha256")).toBe(sum(bytes));
    });
  });
});
