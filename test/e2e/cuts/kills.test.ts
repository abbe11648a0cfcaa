import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { processTree } from "../../../bench/proc.ts";
import { startCuttingProxy } from "../../helpers/cutting-proxy.ts";
import { sha256 } from "../../helpers/e2e-files.ts";
import { type LocalTestSite, withoutLocal } from "../../helpers/e2e-local.ts";
import { generator } from "../../helpers/e2e-random.ts";
import { useTestSite } from "../../helpers/e2e-suite.ts";
import { cutClients } from "./clients.ts";

const MiB = 1024 * 1024;
const KILLS = Number(process.env["SLIPWAY_KILLS"] ?? 9);
const seed = Number(process.env["SLIPWAY_SEED"] ?? Date.now() % 1_000_000);
const AT_ONCE = 3;

type Victim = "service" | "worker" | "nginx" | "site";
const victims: readonly Victim[] = ["service", "worker", "nginx", "site"];

describe.skipIf(withoutLocal())(`a site that is killed in the middle of uploads, seed ${seed}`, () => {
  let site: LocalTestSite;
  useTestSite({}, (started) => (site = started));

  /** Kills with -9, and starts again what nobody else starts again. */
  async function kill(victim: Victim): Promise<void> {
    const { nginx, service } = site.site;
    if (victim === "worker") {
      // Helpers of nginx's that have ended may be in the tree: what counts is that the workers go.
      for (const pid of processTree(nginx.pid ?? 0).slice(1)) process.kill(pid, "SIGKILL");
      return;
    }
    const parts = victim === "site" ? [nginx, service!] : [victim === "nginx" ? nginx : service!];
    await Promise.all(parts.map((part) => part.kill()));
    for (const part of parts) part.start();
  }

  it(`files every upload once and whole through ${KILLS} kills`, async () => {
    const random = generator(seed);
    const proxy = await startCuttingProxy({ port: Number(new URL(site.url).port), seed, rate: 24 * MiB });
    const via = { url: `https://localhost:${proxy.port}`, ca: site.ca };
    const sent: string[] = [];
    let over = false;
    /** Uploads one file after the other, each dialect in turn, until the last kill. */
    const client = async (number: number): Promise<void> => {
      for (let round = number; !over; round++) {
        const bytes = randomBytes(6 * MiB);
        await cutClients[round % 3]!.upload({ via, bytes, chunk: MiB });
        sent.push(sha256(bytes));
      }
    };
    const clients = Promise.all(Array.from({ length: AT_ONCE }, (_, number) => client(number)));
    try {
      for (let number = 0; number < KILLS; number++) {
        await sleep(random.integer(20, 400));
        const before = sent.length;
        await kill(victims[number % victims.length]!);
        await Promise.race([site.site.ready(), clients]);
        // A site that is killed faster than an upload takes files nothing at all.
        while (number % 8 === 7 && sent.length === before) await Promise.race([sleep(20), clients]);
      }
      over = true;
      await clients;
    } finally {
      over = true;
      await proxy.stop();
    }
    console.info(`${KILLS} kills: ${sent.length} uploads`);
    const { rows } = site.kept();
    expect(rows.map(({ checksums, state }) => `${checksums["sha256"]} ${state}`).sort()).toEqual(sent.map((digest) => `${digest} complete`).sort());
    for (const { target, checksums } of rows) expect(sha256(readFileSync(join(site.site.store, "files", target)))).toBe(checksums["sha256"]);
  }, 60_000 + KILLS * 5_000);
});
