import { statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { pieceHead, piecesSite, segment } from "../helpers/pieces.ts";
import { exchange, form, post } from "../helpers/wire.ts";
import { isWrite, NotedWrites, type Sync, type Write } from "../helpers/writes.ts";

let notes: NotedWrites;
beforeAll(() => {
  notes = new NotedWrites();
});
afterAll(() => notes.remove());

const PIECE = 300_000;
const whole = Buffer.from(Array.from({ length: 3 * PIECE }, (_, i) => (i * 131 + (i >> 8)) & 0xff));
const type = "application/octet-stream";

const fileOf = (content: Buffer, i: number): { disposition: string; body: Buffer } => ({ disposition: `name="f${i}"; filename="${i}"`, body: content });

/** One upload: its requests, and how many files they leave that have bytes, and that are empty. */
interface Upload {
  readonly requests: (nginx: Nginx) => Buffer[];
  readonly statuses: readonly number[];
  readonly filled: number;
  readonly empty: number;
}

const piece = ({ store }: Nginx, from: number, to: number): Buffer => Buffer.concat([pieceHead(`${store}/piece`, from, to - from, [`X-Length: ${whole.length}`]), whole.subarray(from, to)]);

const uploads: Readonly<Record<string, Upload>> = {
  "a form of three files, one of them empty": {
    requests: () => [post("/form", form([whole, Buffer.alloc(0), whole.subarray(0, 10)].map(fileOf)))],
    statuses: [200],
    filled: 2,
    empty: 1,
  },
  "a body": { requests: () => [post("/new", whole, { method: "PUT", type })], statuses: [200], filled: 1, empty: 0 },
  "pieces, each of them handed on": {
    requests: (nginx) => [0, 2 * PIECE, PIECE].map((from) => piece(nginx, from, from + PIECE)),
    statuses: [200, 200, 200],
    filled: 1,
    empty: 0,
  },
  "segments in any order": {
    requests: () => [PIECE, 2 * PIECE, 0].map((from) => segment(whole, "session", from, from + PIECE)),
    statuses: [201, 201, 200],
    filled: 1,
    empty: 0,
  },
};

/** Notes of each data file of the store, in their order. */
function notesOfFiles(nginx: Nginx, seen: readonly (Write | Sync)[]): (Write | Sync)[][] {
  const files = nginx.files().filter((path) => !path.endsWith(".state"));
  return files.map((path) => seen.filter(({ file }) => file === statSync(path).ino));
}

/** Sends an upload and tells what had been noted when a target or, for what is handed to none, the client heard of each request. */
async function heardOf(name: string, { requests, statuses }: Upload, directives: string, check: (nginx: Nginx, heard: readonly (Write | Sync)[]) => void): Promise<void> {
  const heard: (Write | Sync)[][] = [];
  const site = piecesSite({ answer: () => (heard.push(notes.read(name)), {}), ...notes.options(name) }, directives);
  await withNginx({ ...site, server: `${site.server} location /form { upload_pass @done; }` }, async (nginx) => {
    for (const [i, bytes] of requests(nginx).entries()) {
      expect((await exchange(nginx.port, bytes)).status).toBe(statuses[i]);
      check(nginx, heard.shift() ?? notes.read(name));
    }
    expect(nginx.passed).toHaveLength(statuses.filter((status) => status === 200).length);
  });
}

const cases = Object.keys(uploads).flatMap((what) => ["default", "off"].map((pool) => [what, pool] as const));

describe("module: a file is made durable before anybody hears that it is there", () => {
  it.each(cases)("%s, with a thread pool that is %s", async (what, pool) => {
    const upload = uploads[what]!;
    await heardOf(`on ${what} ${pool}`, upload, `upload_thread_pool ${pool};`, (nginx, heard) => {
      const files = notesOfFiles(nginx, heard);
      expect(files.filter((ofFile) => ofFile.some(isWrite))).toHaveLength(upload.filled);
      expect(files).toHaveLength(upload.filled + upload.empty);
      for (const ofFile of files) expect(ofFile.at(-1)).toEqual({ file: expect.any(Number) });
    });
  });
});

describe("module: upload_sync off", () => {
  it.each(Object.keys(uploads))("waits for no disk: %s", async (what) => {
    const upload = uploads[what]!;
    await heardOf(`off ${what}`, upload, "upload_sync off;", (nginx, heard) => {
      expect(notesOfFiles(nginx, heard).filter((ofFile) => ofFile.some(isWrite))).toHaveLength(upload.filled);
      expect(heard.filter((note) => !isWrite(note))).toEqual([]);
    });
  });
});
