import { existsSync, readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { pieceHead, piecesSite, readState, segmentHead, sha256 } from "../helpers/pieces.ts";
import { longestButOne, timeOf } from "../helpers/steady.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange, WireClient } from "../helpers/wire.ts";

const SIZE = 3_000_000;
const newer = Buffer.alloc(SIZE, "newer/");
const older = Buffer.alloc(SIZE, "OLD");

/** The head of a request that brings all of a file but its last byte, so that the file stays where it is. */
const heads: Readonly<Record<string, (nginx: Nginx, name: string) => Buffer>> = {
  raw: (nginx, name) => pieceHead(`${nginx.store}/${name}`, 0, SIZE, [`X-Length: ${SIZE + 1}`]),
  ranged: (_, name) => segmentHead(name, 0, SIZE, SIZE + 1),
};

/** The file of a name; undefined while there is none. */
const fileOf = (nginx: Nginx, name: string): string | undefined => nginx.files().find((path) => path.startsWith(`${nginx.store}/${name}`) && !path.endsWith(".state"));

/** Sends what never ends, a little at a time, until the server has had enough. @returns how to stop */
function keepSending(client: WireClient): () => void {
  const timer = setInterval(() => client.write(older.subarray(0, 20_000)), 2);
  return () => clearInterval(timer);
}

/** An older request that has written something. */
async function begin(nginx: Nginx, kind: string, name: string): Promise<WireClient> {
  const client = await WireClient.open(nginx.port);
  client.write(Buffer.concat([heads[kind]!(nginx, name), older.subarray(0, 500_000)]));
  await nginx.until(() => {
    const path = fileOf(nginx, name);
    return path !== undefined && existsSync(path) && statSync(path).size >= 300_000;
  }, "the older one to write");
  return client;
}

describe.each(["raw", "ranged"])("module: the newer of two writers of a %s upload", (kind) => {
  const taken = kind === "raw" ? 200 : 201;

  it.each(["default", "off"])("takes over within a second from one that sends nothing more, upload_thread_pool %s", async (pool) => {
    await withNginx(piecesSite({}, `upload_thread_pool ${pool};`), async (nginx) => {
      const times: number[] = [];
      for (let round = 0; round < 6; round++) {
        const name = `stalled${round}`;
        const client = await begin(nginx, kind, name);
        times.push(await timeOf(async () => expect((await exchange(nginx.port, heads[kind]!(nginx, name), newer)).status).toBe(taken)));
        client.write(older.subarray(0, 1_000_000));
        expect((await client.answer()).status).toBe(409);
        client.destroy();
        expect(readFileSync(fileOf(nginx, name)!).equals(newer)).toBe(true);
      }
      expect(longestButOne(times), "milliseconds").toBeLessThan(1000);
    });
  });

  it.each(["default", "off"])("takes over within a second from one that goes on sending, upload_thread_pool %s", async (pool) => {
    await withNginx(piecesSite({}, `upload_thread_pool ${pool};`), async (nginx) => {
      const times: number[] = [];
      for (let round = 0; round < 6; round++) {
        const name = `busy${round}`;
        const client = await begin(nginx, kind, name);
        const stop = keepSending(client);
        try {
          times.push(await timeOf(async () => expect((await exchange(nginx.port, heads[kind]!(nginx, name), newer)).status).toBe(taken)));
          await sleep(50);
          expect(readFileSync(fileOf(nginx, name)!).equals(newer)).toBe(true);
          expect((await client.answer()).status).toBe(409);
        } finally {
          stop();
          client.destroy();
        }
        expect(readState(nginx.files().find((path) => path.startsWith(`${nginx.store}/${name}`) && path.endsWith(".state"))!).ranges).toEqual([[0, SIZE]]);
      }
      expect(longestButOne(times), "milliseconds").toBeLessThan(1000);
    });
  });

  it.each(["default", "off"])("is safe from what an older one has in its buffers, upload_thread_pool %s", async (pool) => {
    const { server, ...rest } = piecesSite({}, `upload_thread_pool ${pool};`);
    await withNginx({ ...rest, server: server.replaceAll("buffer_size 64k", "buffer_size 1m") }, async (nginx) => {
      const client = await WireClient.open(nginx.port);
      client.write(Buffer.concat([heads[kind]!(nginx, "file"), older.subarray(0, 900_000)]));
      await nginx.until(() => fileOf(nginx, "file") !== undefined, "the older one to begin");
      // Of a raw upload the second in which the older one waits is not over yet: then it writes.
      expect((await exchange(nginx.port, heads[kind]!(nginx, "file"), newer)).status).toBe(taken);
      await sleep(1500);
      expect(readFileSync(fileOf(nginx, "file")!).equals(newer)).toBe(true);
      client.write(older.subarray(900_000, 2_500_000));
      expect((await client.answer()).status).toBe(409);
      client.destroy();
      expect(readFileSync(fileOf(nginx, "file")!).equals(newer)).toBe(true);
    });
  });

  it("is the only one whose bytes count, of many that begin one after another", async () => {
    await withNginx(piecesSite(), async (nginx) => {
      const clients: WireClient[] = [];
      for (let i = 0; i < 12; i++) {
        const client = await WireClient.open(nginx.port);
        client.write(Buffer.concat([heads[kind]!(nginx, "many"), Buffer.alloc(SIZE - 1, `${i}`)]));
        clients.push(client);
        await sleep(i % 4);
      }
      for (const client of clients) client.write("x");
      const statuses = await Promise.all(clients.map(async (client) => (await client.answer()).status));
      for (const client of clients) client.destroy();
      expect(statuses.filter((status) => status !== 409).length).toBeGreaterThan(0);
      // One that came whole counts, and is not written over by those that follow.
      const bytes = readFileSync(fileOf(nginx, "many")!);
      const writer = Number(String.fromCharCode(bytes[0]!));
      expect(bytes.length).toBe(SIZE);
      const winners = statuses.flatMap((status, i) => (status === taken ? [`${i}`] : []));
      expect(winners.some((winner) => bytes.equals(Buffer.concat([Buffer.alloc(SIZE - 1, winner), Buffer.from("x")]))), `bytes of ${writer}, taken were ${winners.join()}`).toBe(true);
      if (kind === "raw") expect(fieldOf(nginx.passed.at(-1), "sha256")).toBe(sha256(bytes));
    });
  });
});
