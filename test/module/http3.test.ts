import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withoutDocker } from "../helpers/e2e-docker.ts";
import { withoutPython } from "../helpers/e2e-python.ts";
import { TestKeys } from "../helpers/matrix-http2.ts";
import { type Nginx, type NginxOptions, type NginxProgram, type Passed, sanitizing, withNginx } from "../helpers/nginx.ts";
import { openSizes, readState, sha256 } from "../helpers/pieces.ts";
import { QuicClient, type QuicRequest } from "../helpers/quic.ts";
import { gone, programOf, trixie } from "../helpers/trixie.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { boundary, exchange, head } from "../helpers/wire.ts";

const content = randomBytes(400_000);
/** A piece that an earlier request has brought. */
const FIRST = 100_000;
/** Of the file, what a client has sent when it leaves in its middle: no multiple of any buffer. */
const MIDDLE = 250_001;

const site = (keys: TestKeys, program: NginxProgram, more: Partial<NginxOptions> = {}): NginxOptions => ({
  program,
  keepsFiles: true,
  listen: `listen 127.0.0.1:%PORT%; listen 127.0.0.1:%TLS_PORT% quic; ${keys.directives}`,
  // A connection that has vanished is given up after keepalive_timeout.
  http: 'log_format answers "$server_protocol $status"; client_body_timeout 1s; keepalive_timeout 3s;',
  server: `
    access_log %FOLDER%/access.log answers;
    upload_store %STORE%; upload_buffer_size 64k;
    upload_set_form_field path "$upload_tmp_path"; upload_aggregate_form_field sha256 "$upload_file_sha256";
    upload_aggregate_form_field outcome "$upload_outcome"; upload_aggregate_form_field offset "$upload_offset";
    location /form { upload_pass @done; }
    location /new { upload_pass @done; upload_raw on; }
    location /piece { upload_pass @told; upload_raw on; upload_raw_path %STORE%/piece; upload_raw_offset $http_x_offset; upload_raw_length $http_x_length; }
    location /ranged { upload_pass @done; upload_resumable on; }
    location @done { proxy_pass http://%UPSTREAM%; }
    location @told { proxy_pass http://%UPSTREAM%; proxy_ignore_client_abort on; }
    location = /status { stub_status; access_log off; }`,
  ...more,
});

/** A request that is sent in two parts. */
interface Upload {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body, and where the file begins in it. */
  readonly body: Buffer;
  readonly file: number;
}

const plain = { "content-type": "application/octet-stream" };
const partHead = Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nX-Long: ${"x".repeat(100)}\r\n\r\n`);

/** An upload of bytes of the content. */
const uploads = {
  form: (): Upload => ({
    method: "POST",
    path: "/form",
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat([partHead, content, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    file: partHead.length,
  }),
  "new file": (): Upload => ({ method: "PUT", path: "/new", headers: plain, body: content, file: 0 }),
  piece: (from: number, to: number): Upload => ({
    method: "PATCH",
    path: "/piece",
    headers: { ...plain, "x-offset": `${from}`, "x-length": `${content.length}` },
    body: content.subarray(from, to),
    file: 0,
  }),
  segment: (from: number, to: number): Upload => ({
    method: "POST",
    path: "/ranged",
    headers: { ...plain, "session-id": "session", "content-range": `bytes ${from}-${to - 1}/${content.length}`, "content-disposition": 'attachment; filename="a"' },
    body: content.subarray(from, to),
    file: 0,
  }),
} as const;
type Kind = keyof typeof uploads;
const kinds = Object.keys(uploads) as Kind[];

/**
 * Ways to leave: whether the connection goes with it, and the status that nginx logs. A connection that is closed takes
 * its requests with it, and core ends them without one: nobody can be told any more.
 */
const leavings = {
  "closes the connection": { leave: (request: QuicRequest) => request.close(), connection: true, status: "000" },
  "resets the stream and stops the answer": { leave: async (request: QuicRequest) => (await request.stop(), request.reset()), connection: false, status: "499" },
  "resets the stream": { leave: (request: QuicRequest) => request.reset(), connection: false, status: "499" },
  "stops the answer": { leave: (request: QuicRequest) => request.stop(), connection: false, status: "408" },
  vanishes: { leave: (request: QuicRequest) => request.vanish(), connection: true, status: "408" },
  "falls silent": { leave: async () => undefined, connection: false, status: "408" },
} as const;
type Leaving = keyof typeof leavings;

const connections = async ({ port }: Nginx): Promise<number> => {
  const { body } = await exchange(port, head("/status", { method: "GET", type: null, extra: ["Connection: close"] }));
  return Number(/Active connections: (\d+)/.exec(body)?.[1]) - 1;
};

const descriptors = (nginx: Nginx): number => nginx.workers().flatMap((pid) => readdirSync(`/proc/${pid}/fd`)).length;

/** Waits until nobody is there. @returns the descriptors that nginx has then */
async function settled(nginx: Nginx): Promise<number> {
  while ((await connections(nginx)) > 0);
  return descriptors(nginx);
}

/** What a server has when nobody is there. */
async function expectAtRest(nginx: Nginx, before: number): Promise<void> {
  const end = performance.now() + 15_000;
  let now = await connections(nginx);
  while ((now > 0 || descriptors(nginx) > before) && performance.now() < end) now = await connections(nginx);
  expect({ connections: now, descriptors: descriptors(nginx), files: openSizes(nginx) }).toEqual({ connections: 0, descriptors: before, files: [] });
}

const answersIn = (nginx: Nginx): string[] => readFileSync(join(nginx.folder, "access.log"), "utf8").trim().split("\n").filter((line) => line.startsWith("HTTP/3"));

const begin = async (client: QuicClient, on: string, { method, path, headers, body }: Upload, length = true): Promise<QuicRequest> =>
  client.request(on, method, path, length ? { ...headers, "content-length": `${body.length}` } : headers);

/** Sends an upload whole on a connection of its own. @returns the status */
async function send(client: QuicClient, upload: Upload): Promise<number | null> {
  const request = await begin(client, await client.open(), upload);
  await request.send(upload.body, true);
  const { status } = await request.answer();
  await request.close();
  return status;
}

/** What must be there of a file: its bytes that count, or null for none. */
function expectKept(nginx: Nginx, kind: Kind, bytes: number | null): void {
  const states = nginx.files().filter((path) => path.endsWith(".state"));
  if (bytes === null) {
    expect(nginx.files(), kind).toEqual([]);
    return;
  }
  expect([states.length, nginx.files().length], kind).toEqual([1, 2]);
  const { path, ...state } = readState(states[0]!);
  expect(state, kind).toMatchObject({ ranges: [[0, bytes]], claims: 0, complete: false });
  expect(readFileSync(path).subarray(0, bytes).equals(content.subarray(0, bytes))).toBe(true);
}

/** Sends what is missing; the whole must come to the target. */
async function goOn(nginx: Nginx, client: QuicClient, kind: Kind, from: number): Promise<void> {
  const before = nginx.passed.length;
  expect(await send(client, uploads[kind](from, content.length)), "the next upload").toBe(200);
  expect(nginx.passed).toHaveLength(before + 1);
  expect(readFileSync(fieldOf(nginx.passed.at(-1), "path")!).equals(content)).toBe(true);
  expect(fieldOf(nginx.passed.at(-1), "sha256")).toBe(sha256(content));
}

interface Case {
  readonly nginx: Nginx;
  readonly client: QuicClient;
  readonly kind: Kind;
  readonly how: Leaving;
}

/** Begins an upload, and leaves when so many bytes of its body are on their way. @returns how far the file was then */
async function leaveAfter({ nginx, client, kind, how }: Case, from: number, bytes: number, length: boolean): Promise<number> {
  const upload = uploads[kind](from, content.length);
  const request = await begin(client, await client.open(), upload, length);
  if (bytes > 0) await request.send(upload.body.subarray(0, bytes));
  if (bytes > upload.file) await nginx.until(() => openSizes(nginx).some((size) => size > from), "some of it to be written");
  else await sleep(50); // nginx has nothing to show of it
  const written = Math.max(0, ...openSizes(nginx));
  const seen = answersIn(nginx).length;
  await leavings[how].leave(request);
  await nginx.until(() => answersIn(nginx).length > seen, "the request to end");
  // It is logged before its files are settled.
  await nginx.until(() => openSizes(nginx).length === 0, "its files to be closed");
  const told = kind === "piece" && bytes > 0 && how !== "closes the connection";
  expect(answersIn(nginx).slice(seen), kind).toEqual([`HTTP/3.0 ${told ? 200 : leavings[how].status}`]);
  if (how === "falls silent") expect((await request.answer()).status, kind).toBe(told ? 200 : null);
  if (!leavings[how].connection) await request.close();
  return written;
}

/** One way to leave, in the middle of a body, whatever the body is. */
async function leaveInTheMiddle(nginx: Nginx, client: QuicClient, how: Leaving): Promise<void> {
  for (const kind of kinds) {
    const isPart = kind === "piece" || kind === "segment";
    for (const length of [true, false]) {
      // In a part's header, or before the first byte: nothing comes of it.
      await leaveAfter({ nginx, client, kind, how }, 0, Math.floor(uploads[kind](0, content.length).file / 2), length);
      expect(nginx.passed, kind).toEqual([]);
      expectKept(nginx, kind, null);
    }
    if (isPart) expect(await send(client, uploads[kind](0, FIRST))).toBe(kind === "piece" ? 200 : 201);
    const from = isPart ? FIRST : 0;
    const passed = nginx.passed.length;
    const written = await leaveAfter({ nginx, client, kind, how }, from, uploads[kind](from, content.length).file + MIDDLE, true);
    // A piece's bytes count, and the target hears of it where it can; what else is broken leaves nothing.
    const told = nginx.passed.slice(passed);
    expect(told.map((one) => fieldOf(one, "outcome")), kind).toEqual(kind === "piece" && how !== "closes the connection" ? ["aborted"] : []);
    const kept = kind === "piece" ? readState(`${nginx.store}/piece.state`).ranges[0]![1] : FIRST;
    if (kind === "piece") expect(kept).toBeGreaterThanOrEqual(how === "falls silent" ? FIRST + MIDDLE : written);
    for (const one of told) expect(fieldOf(one, "offset")).toBe(`${kept}`);
    expectKept(nginx, kind, isPart ? kept : null);
    await goOn(nginx, client, kind, isPart ? kept : 0);
    for (const path of nginx.files()) rmSync(path);
    (nginx.passed as Passed[]).length = 0;
  }
}

/** Sends all of an upload, and leaves while the target thinks. */
async function leaveBeforeTheAnswer({ nginx, client, kind, how }: Case, status: string): Promise<void> {
  const upload = uploads[kind](0, content.length);
  const request = await begin(client, await client.open(), upload);
  const passed = nginx.passed.length;
  await request.send(upload.body, true);
  await nginx.until(() => nginx.passed.length > passed, "the target to be asked");
  const seen = answersIn(nginx).length;
  await leavings[how].leave(request);
  await nginx.until(() => answersIn(nginx).length > seen, "the request to end");
  // It is logged before its files are settled.
  await nginx.until(() => openSizes(nginx).length === 0, "its files to be closed");
  expect(answersIn(nginx).slice(seen)).toEqual([`HTTP/3.0 ${status}`]);
  if (!leavings[how].connection) await request.close();
}

/** An older request has brought some bytes when a newer one brings all: the file is that one's. */
async function twoWriters(nginx: Nginx, client: QuicClient, kind: "piece" | "segment", together: boolean): Promise<void> {
  const upload = uploads[kind](0, content.length);
  const first = await client.open();
  const second = together ? first : await client.open();
  const older = await begin(client, first, upload);
  await older.send(Buffer.alloc(MIDDLE, "older"));
  await nginx.until(() => openSizes(nginx).some((size) => size > 0), "the older one to write");
  const newer = await begin(client, second, upload);
  await newer.send(content, true);
  expect(await newer.answer()).toMatchObject({ status: 200 });
  // nginx may have ended it already, and then the client cannot send any more.
  await older.send(Buffer.alloc(content.length - MIDDLE, "older"), true).catch(() => undefined);
  expect(await older.answer()).toMatchObject({ status: 409 });
  expect(nginx.passed).toHaveLength(1);
  expect(fieldOf(nginx.passed[0], "sha256")).toBe(sha256(content));
  expect(readFileSync(fieldOf(nginx.passed[0], "path")!).equals(content)).toBe(true);
  await newer.close();
  if (!together) await older.close();
}

const missing = withoutDocker() ?? withoutPython();
const reason = missing ?? (await gone(trixie));
describe.skipIf(reason)(`module: HTTP/3, nginx of Debian ${trixie.name}${reason ? ` (skipped: ${reason})` : ""}`, { timeout: 120_000 }, () => {
  let keys: TestKeys;
  let program: NginxProgram;
  beforeAll(async () => {
    keys = new TestKeys();
    program = await programOf(trixie, [keys.folder], sanitizing);
  }, 900_000);
  afterAll(() => keys.remove());

  /** Runs a test with a client; afterwards nobody and nothing may be left with nginx. */
  async function withClient(more: Partial<NginxOptions>, test: (nginx: Nginx, client: QuicClient) => Promise<void>): Promise<void> {
    await withNginx(site(keys, program, more), async (nginx) => {
      const client = await QuicClient.start(nginx.tlsPort, join(keys.folder, "cert.pem"));
      try {
        // What the first request alone makes, such as threads and a log, is no leak.
        expect(await send(client, uploads["new file"]())).toBe(200);
        for (const path of nginx.files()) rmSync(path);
        (nginx.passed as Passed[]).length = 0;
        const before = await settled(nginx);
        await test(nginx, client);
        await expectAtRest(nginx, before);
      } finally {
        client.stop();
      }
    });
  }

  it.each(Object.keys(leavings) as Leaving[])("a client that %s in a body leaves what counts, and nothing else", async (how) => {
    await withClient({}, (nginx, client) => leaveInTheMiddle(nginx, client, how));
  });

  // What was sent to its end cannot be reset any more, and one that is silent waits for its answer.
  it.each([["closes the connection", "000"], ["stops the answer", "499"], ["vanishes", "000"]] as const)("a client that %s while the target thinks", async (how, status) => {
    let thinks = false;
    await withClient({ answer: () => (thinks ? undefined : {}) }, async (nginx, client) => {
      for (const kind of ["form", "new file", "segment"] as const) {
        thinks = true;
        await leaveBeforeTheAnswer({ nginx, client, kind, how }, status);
        // The session's file may be the target's: the same segment once more tells.
        if (kind === "segment") expect(readState(nginx.files().find((path) => path.endsWith(".state"))!)).toMatchObject({ complete: true, handed: 0, told: true });
        else expect(nginx.files(), kind).toEqual([]);
        thinks = false;
        await goOn(nginx, client, kind, 0);
        for (const path of nginx.files()) rmSync(path);
      }
    });
  });

  it.each([["piece", false], ["piece", true], ["segment", false], ["segment", true]] as const)("two writers of a %s, on one connection: %s", async (kind, together) => {
    await withClient({}, (nginx, client) => twoWriters(nginx, client, kind, together));
  });
});
