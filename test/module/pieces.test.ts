import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withNginx } from "../helpers/nginx.ts";
import { digestField as digest, pieceHead as piece, piecesSite as options, segment, sha256 as sum, spread, tellsWorker } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { chunked, exchange, head, post, type WireAnswer, WireClient } from "../helpers/wire.ts";

const type = "application/octet-stream";

describe("module: ranged segments", () => {
  it("takes them in any order, in parallel, over several workers", async () => {
    await withNginx(options(spread, tellsWorker), async (site) => {
      const bytes = randomBytes(1_500_000);
      const starts = Array.from({ length: 100 }, (_, i) => i * 15_000).sort(() => Math.random() - 0.5);
      const answers: WireAnswer[] = [];
      const one = async (): Promise<void> => {
        for (let from = starts.pop(); from !== undefined; from = starts.pop()) answers.push(await exchange(site.port, segment(bytes, "s-1", from, from + 15_000)));
      };
      await Promise.all([one(), one(), one(), one(), one(), one(), one(), one()]);
      expect(answers.map(({ status }) => status).filter((status) => status !== 201)).toEqual([200]);
      expect(new Set(answers.map(({ headers }) => headers["x-worker"])).size).toBeGreaterThan(1);
      expect(site.passed).toHaveLength(1);
      const [passed] = site.passed;
      expect(fieldOf(passed, "sha256")).toBe(sum(bytes));
      expect(fieldOf(passed, "size")).toBe("1500000");
      expect(fieldOf(passed, "name")).toBe("a b.bin");
      expect(sum(readFileSync(fieldOf(passed, "path")!))).toBe(sum(bytes));
    });
  });

  it("says what has arrived, and answers a repeated last segment again", async () => {
    await withNginx(options(), async (site) => {
      const bytes = randomBytes(30);
      const send = (from: number, to: number, of = bytes): ReturnType<typeof exchange> => exchange(site.port, segment(of, "again", from, to));
      const middle = await send(10, 20);
      expect([middle.status, middle.body, middle.headers["range"]]).toEqual([201, "10-19/30", "10-19/30"]);
      expect((await send(0, 5)).body).toBe("0-4/30,10-19/30");
      expect((await send(20, 30)).body).toBe("0-4/30,10-29/30");
      expect((await send(3, 12)).status).toBe(200);
      expect((await send(3, 12)).status).toBe(200);
      expect(site.passed.map((passed) => fieldOf(passed, "sha256"))).toEqual([sum(bytes), sum(bytes)]);
      expect(readFileSync(fieldOf(site.passed[1], "path")!)).toEqual(bytes);
      const other = randomBytes(30);
      expect((await send(3, 12, other)).body).toBe("3-11/30");
    });
  });

  it.each([
    ["no range", ["Session-ID: a"], 400],
    ["a range that is none", ["Session-ID: a", "Content-Range: bytes 3-2/10"], 400],
    ["a range behind its total", ["Session-ID: a", "Content-Range: bytes 0-9/9"], 400],
    ["a range near 2^63", ["Session-ID: a", "Content-Range: bytes 0-9/9223372036854775808"], 400],
    ["no session", ["Content-Range: bytes 0-9/10"], 400],
    ["a session with a path", ["Session-ID: ../x", "Content-Range: bytes 0-9/10"], 400],
    ["two sessions", ["Session-ID: a", "X-Session-ID: b", "Content-Range: bytes 0-9/10"], 400],
    ["a longer range", ["Session-ID: a", "Content-Range: bytes 0-10/20"], 416],
    ["a total over the limit", ["Session-ID: a", "Content-Range: bytes 0-9/200000000"], 413],
  ])("refuses %s", async (_, extra, status) => {
    await withNginx(options({ keepsFiles: false }), async (site) => {
      expect((await exchange(site.port, post("/ranged", Buffer.alloc(10), { type, extra }))).status).toBe(status);
    });
  });

  it("does not count a segment that is cut off, or too short", async () => {
    await withNginx(options({ keepsFiles: false }), async (site) => {
      const extra = ["Session-ID: cut", "Content-Range: bytes 0-99/200"];
      const client = await WireClient.open(site.port);
      client.write(Buffer.concat([head("/ranged", { type, length: 100, extra }), Buffer.alloc(50)]));
      await site.until(() => site.files().length > 0, "a file");
      client.reset();
      await site.until(() => site.files().length === 0, "the file to go");
      const short = Buffer.concat([head("/ranged", { type, extra: [...extra, "Transfer-Encoding: chunked"] }), chunked(Buffer.alloc(50), 10)]);
      expect((await exchange(site.port, short)).status).toBe(416);
    });
  });

  it("shows the headers of upload_add_header with every answer to a segment", async () => {
    const site = options();
    const server = site.server.replace("upload_resumable on;", 'upload_resumable on; upload_add_header X-Name "$upload_file_name";');
    await withNginx({ ...site, server }, async ({ port }) => {
      const bytes = randomBytes(20);
      for (const [from, to, status] of [[0, 10, 201], [10, 20, 200]] as const) {
        expect(await exchange(port, segment(bytes, "headers", from, to))).toMatchObject({ status, headers: { "x-name": "a b.bin" } });
      }
    });
  });

  it("removes file and state when the target's answer is in upload_cleanup", async () => {
    await withNginx(options({ keepsFiles: false, answer: () => ({ status: 422 }) }), async (site) => {
      const bytes = randomBytes(20);
      expect((await exchange(site.port, segment(bytes, "c", 0, 10))).status).toBe(201);
      expect((await exchange(site.port, segment(bytes, "c", 10, 20))).status).toBe(422);
    });
  });
});

describe("module: raw uploads", () => {
  it("takes a body as it is, and checks its digest", async () => {
    await withNginx(options(), async (site) => {
      const bytes = randomBytes(300_000);
      const put = (extra: readonly string[]): ReturnType<typeof exchange> => exchange(site.port, post("/new", bytes, { method: "PUT", type, extra }));
      expect((await put([])).status).toBe(200);
      expect((await put([`Content-Digest: ${digest(bytes)}`])).status).toBe(200);
      expect((await put([`Repr-Digest: md5=:AAAA:`, `Repr-Digest: ${digest(bytes)}`])).status).toBe(200);
      const before = site.files();
      expect((await put([`Content-Digest: ${digest(Buffer.from("other"))}`])).status).toBe(400);
      expect((await put(["Repr-Digest: sha-256=broken"])).status).toBe(400);
      expect(site.files()).toEqual(before);
      expect(fieldOf(site.passed[0], "outcome")).toBe("complete");
      expect(readFileSync(fieldOf(site.passed[0], "path")!)).toEqual(bytes);
    });
  });

  it("keeps what has come of a piece when the client goes away, says so, and goes on from there", async () => {
    await withNginx(options(), async (site) => {
      const bytes = randomBytes(800_000);
      const path = `${site.store}/file`;
      const length = [`X-Length: ${bytes.length}`];
      const client = await WireClient.open(site.port);
      client.write(Buffer.concat([piece(path, 0, bytes.length, length), bytes.subarray(0, 500_000)]));
      await site.until(() => existsSync(path) && statSync(path).size > 300_000, "some of it");
      client.destroy();
      await site.until(() => site.passed.length === 1, "the report");
      expect(fieldOf(site.passed[0], "outcome")).toBe("aborted");
      const offset = Number(fieldOf(site.passed[0], "offset"));
      expect(offset).toBeGreaterThan(300_000);
      const rest = Buffer.concat([piece(path, offset, bytes.length - offset, [...length, `Repr-Digest: ${digest(bytes)}`]), bytes.subarray(offset)]);
      expect((await exchange(site.port, rest)).status).toBe(200);
      expect(fieldOf(site.passed[1], "outcome")).toBe("complete");
      expect(fieldOf(site.passed[1], "sha256")).toBe(sum(bytes));
      expect(readFileSync(path)).toEqual(bytes);
    });
  });

  it("refuses a piece that differs from its digest, and keeps what was there", async () => {
    await withNginx(options(), async (site) => {
      const path = `${site.store}/file`;
      const bytes = randomBytes(200_000);
      const send = (from: number, to: number, extra: readonly string[] = []): ReturnType<typeof exchange> =>
        exchange(site.port, Buffer.concat([piece(path, from, to - from, [`X-Length: ${bytes.length}`, ...extra]), bytes.subarray(from, to)]));
      expect((await send(0, 100_000)).status).toBe(200);
      expect((await send(100_000, 150_000, [`Content-Digest: ${digest(Buffer.alloc(1))}`])).status).toBe(400);
      expect(statSync(path).size).toBe(100_000);
      expect((await send(100_000, 200_000, [`Repr-Digest: ${digest(Buffer.alloc(1))}`])).status).toBe(400);
      expect(statSync(path).size).toBe(100_000);
      expect((await send(100_000, 200_000, [`Repr-Digest: ${digest(bytes)}`])).status).toBe(200);
      expect(fieldOf(site.passed.at(-1), "sha256")).toBe(sum(bytes));
    });
  });

  it("lets the newer of two writers take over from one that stalls", async () => {
    await withNginx(options(), async (site) => {
      const path = `${site.store}/file`;
      const bytes = randomBytes(400_000);
      const older = await WireClient.open(site.port);
      older.write(Buffer.concat([piece(path, 0, bytes.length), Buffer.alloc(200_000, "x")]));
      await site.until(() => existsSync(path) && statSync(path).size > 0, "the older one to write");
      expect((await exchange(site.port, Buffer.concat([piece(path, 0, bytes.length), bytes]))).status).toBe(200);
      older.write(Buffer.alloc(200_000, "x"));
      expect((await older.answer()).status).toBe(409);
      expect(readFileSync(path)).toEqual(bytes);
      expect(fieldOf(site.passed[0], "sha256")).toBe(sum(bytes));
    });
  });

  it.each(["/etc/slipway-test", "%/../x", "%", "%/"])("writes to no file outside the store: %s", async (path) => {
    await withNginx(options({ keepsFiles: false }), async (site) => {
      expect((await exchange(site.port, Buffer.concat([piece(path.replace("%", site.store), 0, 3), Buffer.from("abc")]))).status).toBe(500);
      expect(existsSync("/etc/slipway-test")).toBe(false);
    });
  });
});
