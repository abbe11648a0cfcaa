import { readFileSync } from "node:fs";
import https from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Http2Client, TestKeys } from "../helpers/matrix-http2.ts";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { sha256 } from "../helpers/pieces.ts";
import { boundary, exchange, form, post } from "../helpers/wire.ts";
import { isWrite, NotedWrites, type Write } from "../helpers/writes.ts";

const MIB = 1 << 20;

/** What the page cache keeps as one piece begins at a multiple of its size; a write that ends elsewhere splits the next. */
const BLOCK = 256 * 1024;

const content = Buffer.from(Array.from({ length: 12 * MIB + 12_345 }, (_, i) => (i * 131 + (i >> 12)) & 0xff));
const multipart = form([{ disposition: 'name="file"; filename="a.bin"', body: content }]);
const formType = `multipart/form-data; boundary=${boundary}`;

let notes: NotedWrites;
let keys: TestKeys;
beforeAll(() => {
  keys = new TestKeys();
  notes = new NotedWrites();
});
afterAll(() => {
  keys.remove();
  notes.remove();
});

const LARGE = "upload_buffer_size 1m; client_body_buffer_size 4m;";

const server = (field: string, buffers: string): string => `
  upload_store %STORE%; ${buffers} ${field}
  location /form { upload_pass @done; }
  location /raw { upload_pass @done; upload_raw on; }
  location /here { upload_pass @done; upload_raw on; upload_raw_path %STORE%/here; upload_raw_offset $http_x_offset; }
  location @done { proxy_pass http://%UPSTREAM%; }`;

type Send = (nginx: Nginx, path: string, body: Buffer, type: string, extra?: Readonly<Record<string, string>>) => Promise<number>;

const http1: Send = async (nginx, path, body, type, extra = {}) => {
  const lines = Object.entries(extra).map(([name, value]) => `${name}: ${value}`);
  return (await exchange(nginx.port, post(path, body, { type, extra: lines }))).status;
};

/** The first bytes come by themselves. */
const http1Tls: Send = (nginx, path, body, type, extra = {}) =>
  new Promise((resolve, reject) => {
    const headers = { "content-type": type, "content-length": body.length, ...extra };
    const sent = https.request({ host: "127.0.0.1", port: nginx.tlsPort, method: "POST", path, headers, ca: keys.certificate }, (answer) => resolve(answer.resume().statusCode ?? 0));
    sent.on("error", reject).write(body.subarray(0, 15_000));
    setTimeout(() => sent.end(body.subarray(15_000)), 50);
  });

// 100,000 bytes at once: no frame ends where a block does.
const http2: Send = async (nginx, path, body, type, extra = {}) => {
  const client = new Http2Client(`https://127.0.0.1:${nginx.tlsPort}`, keys.certificate);
  const pieces = Array.from({ length: Math.ceil(body.length / 100_000) }, (_, i) => body.subarray(i * 100_000, (i + 1) * 100_000));
  try {
    return (await client.request({ ":method": "POST", ":path": path, "content-type": type, ...extra }, pieces)).status;
  } finally {
    client.destroy();
  }
};

/** Uploads to a site of its own and tells what was written, in the order of the file. */
async function writesOf(name: string, field: string, upload: (nginx: Nginx) => Promise<void>, buffers = LARGE): Promise<Write[]> {
  await withNginx(
    {
      listen: `listen 127.0.0.1:%PORT%; listen 127.0.0.1:%TLS_PORT% ssl http2; ${keys.directives}`,
      server: server(field, buffers),
      keepsFiles: true,
      ...notes.options(name),
    },
    upload,
  );
  return notes.read(name).filter(isWrite).sort((a, b) => a.at - b.at);
}

/** The first write may end anywhere, and what is left at the end as well; all between end with a block. */
function expectBlocks(writes: readonly Write[], from: number): void {
  let next = from;
  for (const { at, length } of writes) {
    expect(at).toBe(next);
    next = at + length;
  }
  expect(next).toBe(from + content.length);
  const ends = writes.slice(1).map(({ at, length }) => at + length).filter((end) => end < from + content.length - MIB);
  expect(ends.length).toBeGreaterThan(2);
  expect(ends.filter((end) => end % BLOCK !== 0)).toEqual([]);
}

const plain = 'upload_set_form_field path "$upload_tmp_path";';
const hashed = `${plain} upload_aggregate_form_field sum "$upload_file_sha256";`;

describe("module: writes of a large file end where the page cache begins a piece", () => {
  it.each([
    ["a form over HTTP/1.1", http1, "/form", plain],
    ["a form over HTTP/1.1, hashed in threads", http1, "/form", hashed],
    ["a form over HTTP/1.1 and TLS", http1Tls, "/form", plain],
    ["a form over HTTP/1.1 and TLS, hashed in threads", http1Tls, "/form", hashed],
    ["a form over HTTP/2", http2, "/form", plain],
    ["a form over HTTP/2, hashed in threads", http2, "/form", hashed],
    ["a body over HTTP/1.1", http1, "/raw", plain],
    ["a body over HTTP/1.1 and TLS", http1Tls, "/raw", plain],
    ["a body over HTTP/2", http2, "/raw", plain],
    ["a body over HTTP/2, hashed in threads", http2, "/raw", hashed],
  ] as const)("%s", async (what, send, path, field) => {
    const writes = await writesOf(what.replaceAll(/\W/g, "-"), field, async (nginx) => {
      const status = path === "/form" ? await send(nginx, path, multipart, formType) : await send(nginx, path, content, "application/octet-stream");
      expect(status).toBe(200);
      expect(nginx.files().map((file) => sha256(readFileSync(file)))).toEqual([sha256(content)]);
    });
    expectBlocks(writes, 0);
    // What is copied is written by half a buffer, what is written from where it came by whole ones.
    if (send !== http2) expect(writes.length).toBeLessThan(18);
  });

  it.each([
    ["HTTP/1.1", http1],
    ["HTTP/2", http2],
  ] as const)("a piece that begins anywhere, over %s", async (protocol, send) => {
    const before = content.subarray(0, 123_457);
    const writes = await writesOf(`piece-${protocol.replaceAll(/\W/g, "-")}`, plain, async (nginx) => {
      expect(await send(nginx, "/here", before, "application/octet-stream", { "X-Offset": "0" })).toBe(200);
      expect(await send(nginx, "/here", content, "application/octet-stream", { "X-Offset": `${before.length}` })).toBe(200);
      expect(sha256(readFileSync(`${nginx.store}/here`))).toBe(sha256(Buffer.concat([before, content])));
    });
    expectBlocks(writes.filter(({ at }) => at >= before.length), before.length);
  });
});

describe("module: small buffers of an upload over HTTP/1.1, while a worker has enough", () => {
  const countOf = async (name: string, buffers: string, field = plain): Promise<number> => {
    const upload = async (nginx: Nginx): Promise<void> => {
      expect(await http1(nginx, "/form", multipart, formType)).toBe(200);
      expect(nginx.files().map((file) => sha256(readFileSync(file)))).toEqual([sha256(content)]);
    };
    return (await writesOf(name, field, upload, buffers)).length;
  };

  it.each([
    ["nginx's defaults", ""],
    ["64k", "upload_buffer_size 64k; client_body_buffer_size 64k;"],
  ])("are made 256 KiB: %s", async (name, buffers) => {
    // Of the first MiB, the smallest are of 64 KiB.
    const pieces = 16 + content.length / (256 * 1024);
    expect(await countOf(`plain-${name.replaceAll(/\W/g, "-")}`, buffers)).toBeLessThan(pieces + 8);
    expect(await countOf(`hashed-${name.replaceAll(/\W/g, "-")}`, buffers, hashed)).toBeLessThan(pieces + 8);
  });

  it("stay what they are where less than nginx's default is asked for", async () => {
    expect(await countOf("spared", "upload_buffer_size 64k; client_body_buffer_size 4k;")).toBeGreaterThan(content.length / (80 * 1024));
  });
});
