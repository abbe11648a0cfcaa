import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { pieceHead, piecesSite, readState, segmentHead, sendPiece, sha256 } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { WireClient } from "../helpers/wire.ts";

const SIZE = 900_000;
const bytes = randomBytes(SIZE);
const MIDDLE = 400_000;

interface Uploads {
  /** Sends the rest of both. @returns their statuses; undefined for one whose connection broke */
  rest(): Promise<(number | undefined)[]>;
}

const file = (nginx: Nginx, name: string): string => `${nginx.store}/${name}`;

/** Begins a raw piece and a segment, and stops in their middle. */
async function beginBoth(nginx: Nginx, name: string): Promise<Uploads> {
  const heads = [pieceHead(file(nginx, `${name}-raw`), 0, SIZE, [`X-Length: ${SIZE}`]), segmentHead(`${name}-ranged`, 0, SIZE, SIZE)];
  const clients = await Promise.all(heads.map(() => WireClient.open(nginx.port)));
  clients.forEach((client, i) => client.write(Buffer.concat([heads[i]!, bytes.subarray(0, MIDDLE)])));
  await nginx.until(() => nginx.files().filter((path) => path.startsWith(file(nginx, name)) && !path.endsWith(".state")).length === 2, "both files");
  return {
    rest: async () => {
      const statuses = await Promise.all(
        clients.map(async (client) => {
          client.write(bytes.subarray(MIDDLE));
          return client.answer().then(({ status }) => status, () => undefined);
        }),
      );
      for (const client of clients) client.destroy();
      return statuses;
    },
  };
}

function expectWhole(nginx: Nginx, name: string): void {
  for (const kind of ["raw", "ranged"]) {
    const report = nginx.passed.find((passed) => fieldOf(passed, "path")!.startsWith(file(nginx, `${name}-${kind}`)) && fieldOf(passed, "outcome") === "complete");
    expect(fieldOf(report, "sha256"), `${name} ${kind}`).toBe(sha256(bytes));
    expect(readFileSync(fieldOf(report, "path")!).equals(bytes)).toBe(true);
  }
}

describe("module: pieces in their middle when nginx", () => {
  it.each(["default", "off"])("is reloaded go on in the old workers, while new ones take others, upload_thread_pool %s", async (pool) => {
    await withNginx(piecesSite({}, `upload_thread_pool ${pool};`), async (nginx) => {
      const old = nginx.workers();
      const before = await beginBoth(nginx, "before");
      process.kill(nginx.master, "SIGHUP");
      await nginx.until(() => nginx.workers().filter((pid) => !old.includes(pid)).length === 4, "new workers");
      const between = await beginBoth(nginx, "between");
      expect(await between.rest()).toEqual([200, 200]);
      expect(await before.rest()).toEqual([200, 200]);
      expectWhole(nginx, "before");
      expectWhole(nginx, "between");
      await nginx.until(() => !nginx.workers().some((pid) => old.includes(pid)), "the old workers to end");
    });
  });

  it("is reloaded are taken over by a newer request in a new worker", async () => {
    await withNginx(piecesSite(), async (nginx) => {
      const old = nginx.workers();
      const before = await beginBoth(nginx, "taken");
      process.kill(nginx.master, "SIGHUP");
      await nginx.until(() => nginx.workers().filter((pid) => !old.includes(pid)).length === 4, "new workers");
      await sleep(50);
      const newer = await beginBoth(nginx, "taken");
      expect(await newer.rest()).toEqual([200, 200]);
      expect(await before.rest()).toEqual([409, 409]);
      expectWhole(nginx, "taken");
    });
  });

  it("ends gracefully are taken to their end", async () => {
    await withNginx(piecesSite(), async (nginx) => {
      const before = await beginBoth(nginx, "quit");
      process.kill(nginx.master, "SIGQUIT");
      await nginx.until(() => /gracefully shutting down/.test(nginx.log()), "the workers to hear of it");
      expect(await before.rest()).toEqual([200, 200]);
      expectWhole(nginx, "quit");
    });
  });

  it("ends at once leave nothing of a session that has nothing, and count what was written of a raw file", async () => {
    await withNginx(piecesSite(), async (nginx) => {
      const path = file(nginx, "fast-raw");
      expect((await sendPiece(nginx.port, path, bytes, 0, 100_000)).status).toBe(200);
      const before = await beginBoth(nginx, "fast");
      const { master } = nginx;
      process.kill(master, "SIGTERM");
      expect(await before.rest()).toEqual([undefined, undefined]);
      await nginx.until(() => !alive(master), "nginx to end");
      const state = readState(`${path}.state`);
      expect(state.ranges).toHaveLength(1);
      const [[from, to]] = state.ranges as [[number, number]];
      expect([from, state.claims]).toEqual([0, 0]);
      expect(to, "what was written counts").toBeGreaterThan(300_000);
      expect(readFileSync(path).subarray(0, to).equals(bytes.subarray(0, to))).toBe(true);
      expect(nginx.files().filter((one) => one.includes("fast-ranged"))).toEqual([]);
    });
  });
});

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
