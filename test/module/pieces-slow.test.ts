import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { digestField, pieceHead, piecesSite, readState, sendPiece, sha256 } from "../helpers/pieces.ts";
import { bestOf, leastOf, timeOf } from "../helpers/steady.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { WireClient } from "../helpers/wire.ts";

const MiB = 1024 * 1024;
const bytes = randomBytes(4 * MiB);

/** Bytes that the slow client sends in 50 ms. */
const STEP = 5000;

/** Buffers so large that a slow client fills none. */
const large = "client_body_buffer_size 1m; upload_buffer_size 1m;";

const site = (directives: string): ReturnType<typeof piecesSite> => {
  const options = piecesSite({ expectLog: /exited on signal 9/, workers: 1 }, directives);
  return { ...options, server: options.server.replace("client_body_buffer_size 64k; upload_buffer_size 64k; client_body_timeout 5s;", large) };
};

const counted = (path: string): number => readState(`${path}.state`).ranges[0]?.[1] ?? 0;

interface Slow {
  readonly client: WireClient;
  sent: number;
}

/** Sends the beginning of a piece at once, and more by and by for so many milliseconds. */
async function sendSlowly(nginx: Nginx, path: string, fast: number, milliseconds: number, extra: readonly string[] = []): Promise<Slow> {
  const client = await WireClient.open(nginx.port);
  const slow = { client, sent: fast };
  client.write(Buffer.concat([pieceHead(path, 0, bytes.length, [`X-Length: ${bytes.length}`, ...extra]), bytes.subarray(0, fast)]));
  for (const end = performance.now() + milliseconds; performance.now() < end; slow.sent += STEP) {
    await sleep(50);
    client.write(bytes.subarray(slow.sent, slow.sent + STEP));
  }
  return slow;
}

async function killWorker(nginx: Nginx): Promise<void> {
  const [worker] = nginx.workers();
  process.kill(worker!, "SIGKILL");
  await nginx.until(() => nginx.workers().length === 1 && nginx.workers()[0] !== worker, "another worker");
}

describe("module: a worker that is killed while a slow client sends", () => {
  it.each([
    ["as it is", "", 0],
    ["without threads", "upload_thread_pool off;", 0],
    ["without sync", "upload_sync off;", 0],
    ["that was fast before", "", 3 * MiB],
  ])("loses what came in about a second, of a client %s", async (_, directives, fast) => {
    const lostBytes = async (): Promise<number> => {
      let lost = Infinity;
      await withNginx(site(directives), async (nginx) => {
        const path = `${nginx.store}/file`;
        const slow = await sendSlowly(nginx, path, fast, 4200);
        lost = slow.sent - counted(path);
        await killWorker(nginx);
        slow.client.destroy();
        const offset = counted(path);
        expect((await sendPiece(nginx.port, path, bytes, offset)).status).toBe(200);
        expect([fieldOf(nginx.passed.at(-1), "outcome"), fieldOf(nginx.passed.at(-1), "sha256")]).toEqual(["complete", sha256(bytes)]);
        expect(readFileSync(path).equals(bytes)).toBe(true);
      });
      return lost;
    };
    // Two seconds of a busy machine; it sends for more than four.
    expect(await leastOf(200_000, lostBytes)).toBeLessThan(200_000);
  });

  it("loses what came in about a second, of a client that is held to a rate", async () => {
    const twoSeconds = 2 * 400 * 1024;
    const keptBytes = async (): Promise<number> => {
      let kept = 0;
      await withNginx(site("upload_limit_rate 400k;"), async (nginx) => {
        const path = `${nginx.store}/file`;
        const { client } = await sendSlowly(nginx, path, 3 * MiB, 4200);
        kept = counted(path);
        await killWorker(nginx);
        client.destroy();
      });
      expect(kept).toBeLessThan(3 * MiB);
      return kept;
    };
    expect(await bestOf((kept) => kept > twoSeconds, keptBytes)).toBeGreaterThan(twoSeconds);
  });

  it("loses all of a piece that may yet be refused", async () => {
    await withNginx(site(""), async (nginx) => {
      const path = `${nginx.store}/file`;
      const slow = await sendSlowly(nginx, path, 0, 2500, [`Content-Digest: ${digestField(bytes)}`]);
      expect(counted(path)).toBe(0);
      slow.client.destroy();
      await nginx.until(() => nginx.passed.length === 1, "what was kept");
      expect(fieldOf(nginx.passed[0], "outcome")).toBe("aborted");
    });
  });
});

describe("module: what a client sent before it fell silent", () => {
  it.each([["as it is", ""], ["without threads", "upload_thread_pool off;"]])("counts within half a second, %s", async (_, directives) => {
    await withNginx(site(directives), async (nginx) => {
      let files = 0;
      const countedAfter = async (): Promise<number> => {
        const path = `${nginx.store}/file-${files++}`;
        const { client } = await sendSlowly(nginx, path, 2 * MiB + 777, 0);
        const took = await timeOf(() => nginx.until(() => existsSync(`${path}.state`) && counted(path) === 2 * MiB + 777, "all that came"));
        client.destroy();
        return took;
      };
      expect(await leastOf(500, countedAfter), "milliseconds").toBeLessThan(500);
    });
  });

  it("counts within about a second, and the client is given up in its time", async () => {
    const sent = 2 * MiB + 777;
    const times = async (): Promise<{ readonly counted: number; readonly givenUp: number }> => {
      const took = { counted: Infinity, givenUp: Infinity };
      await withNginx(site("client_body_timeout 3s;"), async (nginx) => {
        const path = `${nginx.store}/file`;
        const began = performance.now();
        const { client } = await sendSlowly(nginx, path, sent, 0);
        await nginx.until(() => existsSync(`${path}.state`) && counted(path) === sent, "all that was sent to count");
        took.counted = performance.now() - began;
        const version = readFileSync(`${path}.state`);
        await sleep(1200);
        // Nothing came, so nothing is written.
        expect(readFileSync(`${path}.state`).equals(version)).toBe(true);
        // The first time-out may be that of a worker that dozed.
        await nginx.until(() => nginx.passed.length === 1, "the end of the request");
        took.givenUp = performance.now() - began;
        expect(fieldOf(nginx.passed[0], "outcome")).toBe("aborted");
        client.destroy();
      });
      return took;
    };
    const took = await bestOf((one) => one.counted < 2300 && one.givenUp < 9500, times);
    expect(took.counted, "milliseconds").toBeLessThan(2300);
    expect(took.givenUp, "milliseconds").toBeLessThan(9500);
  });
});
