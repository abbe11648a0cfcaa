import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type BadConnection, startCuttingProxy } from "../../helpers/cutting-proxy.ts";
import { sha256 } from "../../helpers/e2e-files.ts";
import { type LocalTestSite, withoutLocal } from "../../helpers/e2e-local.ts";
import { generator } from "../../helpers/e2e-random.ts";
import { useTestSite } from "../../helpers/e2e-suite.ts";
import { leastOf } from "../../helpers/steady.ts";
import { type CutClient, cutClients } from "./clients.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
/** Cuts for each dialect, and for each way of cutting. */
const CUTS = Number(process.env["SLIPWAY_CUTS"] ?? 20);
/** After so many a line is well, so that an upload that gains little between two cuts comes to an end. */
const CUTS_OF_AN_UPLOAD = 25;
const seed = Number(process.env["SLIPWAY_SEED"] ?? Date.now() % 1_000_000);
/** Bytes of a file, and between two cuts: a body that is always sent whole must now and then come through. */
const sizes = (client: CutClient): { readonly file: readonly [number, number]; readonly cutAfter: readonly [number, number] } =>
  client.filesTwice ? { file: [256 * KiB, MiB], cutAfter: [1, MiB + 256 * KiB] } : { file: [8 * MiB, 16 * MiB], cutAfter: [1, MiB] };
/** What may be sent again of what was acknowledged, in parts of the files: the headers and handshakes of the requests that go on are among it. */
const SENT_AGAIN = 0.02;
/** How connections are cut; where a cut body is sent anew, what a reset came after makes no difference. */
const ways = (client: CutClient): readonly CutBy[] => (client.goesOn ? ["end", "late reset", "reset"] : ["end", "reset"]);

type CutBy = NonNullable<BadConnection["cutBy"]>;

interface Counts {
  cuts: number;
  uploads: number;
  /** Bytes of the files, and bytes that the proxy passed on to the site. */
  bytes: number;
  sent: number;
  /** Of those, what no answer, and where a cut can be gone on after, no TCP had acknowledged when its connection was cut. */
  unacknowledged: number;
}

describe.skipIf(withoutLocal())(`uploads over a bad line, seed ${seed}`, () => {
  let site: LocalTestSite;
  useTestSite({}, (started) => (site = started));

  function expectFiled(digest: string, atMost: number): void {
    const { rows } = site.kept();
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length).toBeLessThanOrEqual(atMost);
    for (const { checksums, state, target } of rows) {
      expect([checksums["sha256"], state]).toEqual([digest, "complete"]);
      expect(sha256(readFileSync(join(site.site.store, "files", target)))).toBe(digest);
    }
  }

  /** Sends files until there were so many cuts. */
  async function cut(client: CutClient, cutBy: CutBy): Promise<Counts> {
    const random = generator(seed);
    const { file, cutAfter } = sizes(client);
    const counts: Counts = { cuts: 0, uploads: 0, bytes: 0, sent: 0, unacknowledged: 0 };
    while (counts.cuts < CUTS) {
      const how = {
        port: Number(new URL(site.url).port),
        seed: seed + counts.uploads,
        cuts: Math.min(CUTS_OF_AN_UPLOAD, CUTS - counts.cuts),
        cutAfter,
        cutBy,
        splitAt: random.integer(0, 3) === 0 ? 1500 : 64 * KiB,
        ...(random.integer(0, 3) === 0 ? { stallMs: 60, stallEvery: MiB } : {}),
        ...(random.integer(0, 3) === 0 ? { rate: 16 * MiB } : {}),
      };
      const proxy = await startCuttingProxy(how);
      try {
        const bytes = randomBytes(random.integer(...file));
        await client.upload({ via: { url: `https://localhost:${proxy.port}`, ca: site.ca }, bytes });
        expectFiled(sha256(bytes), client.filesTwice ? 1 + proxy.cuts() : 1);
        counts.bytes += bytes.length;
      } finally {
        await proxy.stop();
      }
      counts.uploads += 1;
      counts.cuts += proxy.cuts();
      counts.sent += proxy.sent();
      for (const { passed, acknowledged } of proxy.cutConnections()) counts.unacknowledged += client.goesOn ? passed - acknowledged : passed;
      site.clear();
    }
    return counts;
  }

  it.each(cutClients.flatMap((client) => ways(client).map((cutBy) => [client.name, cutBy, client] as const)))(
    `end whole after ${CUTS} cuts, by %s, connections cut by %s`,
    async (name, cutBy, client) => {
      const ofTheFiles = async (): Promise<number> => {
        const { cuts, uploads, bytes, sent, unacknowledged } = await cut(client, cutBy);
        const again = sent - bytes;
        const percent = (part: number): string => `${((100 * part) / bytes).toFixed(2)} %`;
        console.info(
          `${name}, ${cutBy}: ${cuts} cuts of ${uploads} uploads, ${bytes} bytes, sent again ${again} (${percent(again)}), ${Math.round(again / cuts)} a cut; ` +
            `had not been acknowledged ${unacknowledged}, beyond that ${again - unacknowledged} (${percent(again - unacknowledged)})`,
        );
        expect(cuts).toBe(CUTS);
        return (again - unacknowledged) / bytes;
      };
      // Whoever goes on while nginx stands still, and has not read all that its TCP acknowledged, sends that again.
      expect(await leastOf(SENT_AGAIN, ofTheFiles)).toBeLessThan(SENT_AGAIN);
    },
    90_000 + CUTS * 6_000,
  );
});
