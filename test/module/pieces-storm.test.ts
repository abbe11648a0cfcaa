import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import { describe, expect, it } from "vitest";
import { generator } from "../helpers/e2e-random.ts";
import { withNginx } from "../helpers/nginx.ts";
import { piecesSite, sha256, spread, tellsWorker } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";

interface Reply {
  readonly status: number;
  readonly range: string;
  /** Process id of the worker that answered. */
  readonly worker: string;
  readonly body: string;
}

/** Sends a segment as ordinary clients do: Node's own, which takes heads of up to 16 KiB. */
async function send(agent: http.Agent, port: number, bytes: Buffer, from: number, to: number): Promise<Reply> {
  const headers = { "Content-Type": "application/octet-stream", "Content-Length": to - from, "Session-ID": "storm", "Content-Range": `bytes ${from}-${to - 1}/${bytes.length}` };
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: "127.0.0.1", path: "/ranged", method: "POST", agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode!, range: String(response.headers["range"]), worker: String(response.headers["x-worker"]), body: Buffer.concat(chunks).toString() }));
    });
    request.on("error", reject).end(bytes.subarray(from, to));
  });
}

/** The ranges of an answer, as first bytes and one past the last; throws unless they are sorted, merged, and within the total. */
function rangesOf(text: string, total: number): [number, number][] {
  let least = -1;
  return text.split(",").map((one) => {
    const [, first, last, of] = /^(\d+)-(\d+)\/(\d+)$/.exec(one)!.map(Number) as [number, number, number, number];
    if (of !== total || first <= least || last < first || last >= total) throw new Error(`not sorted and merged: ${text.slice(0, 300)}`);
    least = last + 1;
    return [first, last + 1];
  });
}

describe("module: thousands of segments of one file", () => {
  it.each([
    ["default", 5000],
    ["off", 1000],
  ] as const)("sent in any order over many connections make it whole, upload_thread_pool %s", async (pool, count) => {
    await withNginx(piecesSite({ ...spread, workers: 4, logLevel: "warn" }, `upload_thread_pool ${pool}; ${tellsWorker}`), async (nginx) => {
      const random = generator(count);
      const bytes = randomBytes(count * 40);
      const cuts = [...new Set([0, bytes.length, ...Array.from({ length: count - 1 }, () => random.integer(1, bytes.length - 1))])].sort((a, b) => a - b);
      const segments = cuts.slice(1).map((to, i) => [cuts[i]!, to, random.integer(0, 1e9)] as const).sort((one, other) => one[2] - other[2]);
      const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
      const workers = new Set<string>();
      let longest = 0;
      let last = 0;
      const one = async (): Promise<void> => {
        for (let next = segments.pop(); next !== undefined; next = segments.pop()) {
          const [from, to] = next;
          const { status, range, worker, body } = await send(agent, nginx.port, bytes, from, to);
          workers.add(worker);
          if (status === 200) last++;
          else {
            expect(status).toBe(201);
            const ranges = rangesOf(body, bytes.length);
            longest = Math.max(longest, ranges.length);
            expect(ranges.some(([first, end]) => first <= from && to <= end), `${from}-${to - 1} in ${body.length} bytes`).toBe(true);
            expect(body.startsWith(range)).toBe(true);
            expect(rangesOf(range, bytes.length).length).toBeGreaterThan(0);
          }
        }
      };
      const began = performance.now();
      await Promise.all(Array.from({ length: 32 }, one));
      agent.destroy();
      expect(last).toBe(1);
      expect(workers.size).toBeGreaterThan(1);
      expect(longest).toBeGreaterThan(count / 6);
      expect(nginx.passed).toHaveLength(1);
      expect(fieldOf(nginx.passed[0], "sha256")).toBe(sha256(bytes));
      expect(readFileSync(fieldOf(nginx.passed[0], "path")!).equals(bytes)).toBe(true);
      // A time for each segment that grows with those before it comes to more.
      expect(performance.now() - began, "milliseconds").toBeLessThan(60_000);
    });
  }, 120_000);
});
