import { open } from "node:fs/promises";
import http from "node:http";
import { Problem } from "../scripts/core/problem.ts";
import { shuffled } from "./statistics.ts";

/** Bytes of one range. */
export const RANGE_BYTES = 16 * 1024;

/** A generator of its own, so that every run sends the same order (Park and Miller, 1988). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

function sendOne(agent: http.Agent, url: string, body: Buffer, from: number, total: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, {
      agent,
      method: "POST",
      headers: {
        "Content-Type": "application/octet-stream",
        "Content-Length": body.length,
        "Content-Disposition": 'attachment; filename="upload.bin"',
        "Content-Range": `bytes ${from}-${from + body.length - 1}/${total}`,
        "Session-ID": "benchmark",
      },
    });
    request.once("error", reject);
    request.once("response", (answer) => answer.resume().once("end", () => resolve(answer.statusCode ?? 0)));
    request.end(body);
  });
}

/**
 * Sends the first `count` ranges of a file one after the other on one connection, in an order without any order.
 * @returns seconds from the first to the last answer
 * @throws Problem when a range but the last is answered other than 201, or the last other than 200
 */
export async function sendRanges(url: string, file: string, count: number): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const input = await open(file);
  try {
    const order = shuffled(Array.from({ length: count }, (_, i) => i), seeded(count));
    const start = performance.now();
    for (const [sent, index] of order.entries()) {
      const body = Buffer.allocUnsafe(RANGE_BYTES);
      await input.read(body, 0, RANGE_BYTES, index * RANGE_BYTES);
      const status = await sendOne(agent, url, body, index * RANGE_BYTES, count * RANGE_BYTES);
      const expected = sent === count - 1 ? 200 : 201;
      if (status !== expected) throw new Problem(`range ${sent + 1} of ${count}: status ${status}, ${expected} was expected`);
    }
    return (performance.now() - start) / 1000;
  } finally {
    agent.destroy();
    await input.close();
  }
}
