import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Fault, FaultyCalls } from "../helpers/faults.ts";
import { type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { readState } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange, head, WireClient } from "../helpers/wire.ts";

let calls: FaultyCalls;
beforeAll(() => {
  calls = FaultyCalls.build();
});
afterAll(() => calls.remove());

const PIECE = 9000;
const whole = Buffer.from(Array.from({ length: 3 * PIECE }, (_, i) => (i * 131 + (i >> 8)) & 0xff));
const md5 = createHash("md5").update(whole).digest("hex");

const fields = `
      upload_set_form_field path "$upload_tmp_path";
      upload_aggregate_form_field size "$upload_file_size";
      upload_aggregate_form_field md5 "$upload_file_md5";
      upload_aggregate_form_field outcome "$upload_outcome";
      upload_buffer_size 4k;
      client_body_buffer_size 7k;`;

const site = (more: Partial<NginxOptions> = {}): NginxOptions => ({
  server: `
    location /ranged { upload_pass @done; upload_store %STORE% 1; upload_resumable on; ${fields} }
    location /raw { upload_pass @done; upload_store %STORE%; upload_raw on; upload_raw_path %STORE%/$arg_file; upload_raw_offset $arg_from; upload_raw_length ${whole.length}; ${fields} }
    location @done { proxy_pass http://%UPSTREAM%; proxy_ignore_client_abort on; }`,
  expectLog: /upload: \w+\(\) ".*" failed|exited on signal 9/,
  keepsFiles: true,
  ...more,
});

/** One way to bring a file in pieces. */
interface Way {
  /** Where the pieces begin, in the order in which they are sent. */
  readonly order: readonly number[];
  /** Head of the request for a piece of the file of a name. */
  readonly head: (name: string, from: number, to: number) => Buffer;
}

const type = "application/octet-stream";

const segment: Way["head"] = (name, from, to) =>
  head("/ranged", { type, length: to - from, extra: [`Session-ID: ${name}`, `Content-Range: bytes ${from}-${to - 1}/${whole.length}`] });

const ways = {
  ranged: { order: [0, PIECE, 2 * PIECE], head: segment },
  "ranged, out of order": { order: [PIECE, 2 * PIECE, 0], head: segment },
  raw: { order: [0, PIECE, 2 * PIECE], head: (name, from, to) => head(`/raw?file=${name}&from=${from}`, { method: "PATCH", type, length: to - from }) },
} as const satisfies Readonly<Record<string, Way>>;
const kinds = Object.keys(ways) as (keyof typeof ways)[];

/** Status of a piece sent; undefined when the connection broke. */
async function sendPiece(nginx: Nginx, way: Way, name: string, from: number): Promise<number | undefined> {
  const to = from + PIECE;
  return exchange(nginx.port, way.head(name, from, to), whole.subarray(from, to)).then(({ status }) => status, () => undefined);
}

/** Sends the pieces of a file, each until it is taken. @returns the statuses of those that were not taken */
async function sendFile(nginx: Nginx, way: Way, name: string): Promise<(number | undefined)[]> {
  const refused: (number | undefined)[] = [];
  for (const from of way.order) {
    for (const end = performance.now() + 20_000; ; ) {
      const status = await sendPiece(nginx, way, name, from);
      if (status === 200 || status === 201) break;
      if (performance.now() > end) throw new Error(`${name} from ${from}: answered ${status} again and again; the log:\n${nginx.log().slice(-3000)}`);
      refused.push(status);
      await sleep(1);
    }
  }
  return refused;
}

/** The last request passed on says that the file is whole, and it is. */
function expectWhole(nginx: Nginx, what: string): void {
  const passed = nginx.passed.at(-1);
  const seen = { outcome: fieldOf(passed, "outcome"), size: fieldOf(passed, "size"), md5: fieldOf(passed, "md5") };
  expect(seen, what).toEqual({ outcome: "complete", size: `${whole.length}`, md5 });
  expect(readFileSync(fieldOf(passed, "path")!).equals(whole), what).toBe(true);
}

const faults: readonly Omit<Fault, "nth">[] = [
  { error: "EIO" },
  { error: "ENOSPC" },
  { error: "EINTR", kinds: ["open", "write"] },
  { error: "SHORT", kinds: ["write"] },
  { error: "EIO", times: 3 },
  { error: "EIO", kinds: ["flock"] },
  { error: "EIO", kinds: ["read"] },
];

describe.each(kinds)("module: a %s upload in pieces, on a store where calls fail", (kind) => {
  for (const fault of faults) it(`comes to its end in spite of ${JSON.stringify(fault)} at any call`, async () => {
    await withNginx({ ...site(), ...calls.options }, async (nginx) => {
      const statuses = new Set<number | undefined>();
      let hit = 1;
      for (let nth = 1; hit > 0; nth++) {
        calls.arm({ ...fault, nth });
        for (const status of await sendFile(nginx, ways[kind], `s${nth}`)) statuses.add(status);
        hit = calls.hit;
        calls.arm({ nth: 0, error: "EIO" });
        expectWhole(nginx, `${fault.error} at call ${nth}`);
      }
      for (const status of statuses) expect([500, 503, 507]).toContain(status);
      if (fault.error === "SHORT") expect([...statuses]).toEqual([]);
    });
  });
});

describe("module: a ranged upload on a full disk", () => {
  it("is answered 507 by a worker that lives on", async () => {
    await withNginx({ ...site(), ...calls.options }, async (nginx) => {
      const workers = nginx.workers();
      for (let nth = 1, hit = 1; hit > 0; nth++) {
        calls.arm({ kinds: ["write"], nth, error: "ENOSPC", times: 1_000_000 });
        const status = await sendPiece(nginx, ways.ranged, `f${nth}`, 0);
        hit = calls.hit;
        calls.arm({ nth: 0, error: "EIO" });
        expect(nginx.workers(), `write ${nth}`).toEqual(workers);
        expect(status, `write ${nth}`).toBe(hit > 0 ? 507 : 201);
      }
    });
  });
});

describe("module: a raw upload whose bytes cannot be made durable", () => {
  it("does not count them, and is handed on when they have come again", async () => {
    await withNginx({ ...site(), ...calls.options }, async (nginx) => {
      const piece = (from: number): Promise<number> =>
        exchange(nginx.port, ways.raw.head("lost", from, whole.length), whole.subarray(from)).then(({ status }) => status);
      const state = `${nginx.store}/lost.state`;
      expect(await sendPiece(nginx, ways.raw, "lost", 0)).toBe(200);
      calls.arm({ kinds: ["sync"], nth: 1, error: "EIO" });
      expect(await piece(PIECE)).toBe(507);
      expect(calls.hit).toBe(1);
      expect(readState(state).ranges).toEqual([[0, PIECE]]);
      // Nothing is missing, its sender says; what the kernel has given up is.
      await piece(whole.length);
      expect(fieldOf(nginx.passed.at(-1), "outcome")).toBe("partial");
      expect(await piece(PIECE)).toBe(200);
      expectWhole(nginx, "sent again");
    });
  });

  it("does not count them either when that is tried before the piece has ended", async () => {
    await withNginx({ ...site(), ...calls.options }, async (nginx) => {
      expect(await sendPiece(nginx, ways.raw, "lost", 0)).toBe(200);
      calls.arm({ kinds: ["sync"], nth: 1, error: "EIO" });
      const client = await WireClient.open(nginx.port);
      client.write(Buffer.concat([ways.raw.head("lost", PIECE, 2 * PIECE), whole.subarray(PIECE, 2 * PIECE - 1)]));
      await nginx.until(() => calls.hit === 1, "a count of what has come");
      client.write(whole.subarray(2 * PIECE - 1, 2 * PIECE));
      expect((await client.answer()).status).toBe(507);
      client.destroy();
      expect(readState(`${nginx.store}/lost.state`).ranges).toEqual([[0, PIECE]]);
    });
  });
});

describe("module: a ranged upload whose target cannot be asked", () => {
  it("leaves no file when its session begins anew with other bytes", async () => {
    const options = site();
    await withNginx({ ...options, server: options.server.replace("%UPSTREAM%", "127.0.0.1:1") }, async (nginx) => {
      for (const from of ways.ranged.order) await sendPiece(nginx, ways.ranged, "anew", from);
      expect(nginx.files().filter((path) => !path.endsWith(".state"))).toHaveLength(1);
      await sendPiece(nginx, ways.ranged, "anew", 0);
      expect(nginx.files().filter((path) => !path.endsWith(".state"))).toHaveLength(1);
    });
  });
});

describe("module: a session that begins anew, on a store where calls fail", () => {
  const anew = (nginx: Nginx, name: string): Promise<number | undefined> => exchange(nginx.port, segment(name, 0, PIECE), Buffer.alloc(PIECE, "other")).then(({ status }) => status, () => undefined);

  it.each(["EIO", "ENOSPC"] as const)("has one file, and comes to its end, in spite of %s at any call", async (error) => {
    const options = site();
    await withNginx({ ...options, ...calls.options, server: options.server.replace("%UPSTREAM%", "127.0.0.1:1") }, async (nginx) => {
      for (let nth = 1, hit = 1; hit > 0; nth++) {
        const name = `a${nth}`;
        const files = (): string[] => nginx.files().filter((path) => path.includes(`/${name}.`));
        for (const from of ways.ranged.order) await sendPiece(nginx, ways.ranged, name, from);
        const state = files().find((path) => path.endsWith(".state"))!;
        // The answer may come a little before.
        await nginx.until(() => readState(state).handed === 0, "the file to be the session's again");
        calls.arm({ error, nth });
        const first = await anew(nginx, name);
        hit = calls.hit;
        calls.arm({ nth: 0, error: "EIO" });
        if (first !== 201) expect(await anew(nginx, name), `call ${nth}, at first ${first}`).toBe(201);
        expect(files(), `call ${nth}`).toHaveLength(2);
      }
    });
  });
});

describe("module: uploads in pieces and workers that are killed", () => {
  it.each(kinds)("a %s upload goes on where it was", async (kind) => {
    await withNginx(site({ workers: 2 }), async (nginx) => {
      for (let round = 0; round < 8; round++) {
        const name = `k${round}`;
        const way = ways[kind];
        const [from] = way.order;
        const client = await WireClient.open(nginx.port);
        client.write(Buffer.concat([way.head(name, from, from + PIECE), whole.subarray(from, from + 500 + round * 1000)]));
        await sleep(Math.random() * 20);
        const workers = nginx.workers();
        for (const pid of workers) process.kill(pid, "SIGKILL");
        await client.closed();
        await nginx.until(() => nginx.workers().length === 2 && !nginx.workers().some((pid) => workers.includes(pid)), "other workers");
        await sendFile(nginx, way, name);
        expectWhole(nginx, name);
      }
    });
  });
});
