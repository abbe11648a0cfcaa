import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type DialectClient, resumingDialects, type Wording } from "../../helpers/dialects.ts";
import { type Answer, send } from "../../helpers/e2e-client.ts";
import { sha256 } from "../../helpers/e2e-files.ts";
import { type LocalTestSite, withoutLocal } from "../../helpers/e2e-local.ts";
import { generator } from "../../helpers/e2e-random.ts";
import { useTestSite } from "../../helpers/e2e-suite.ts";

const KILLS = 12;
const MiB = 1024 * 1024;
/** The rounds of a failure come again with the same seed, as far as the machine lets them. */
const seed = Number(process.env["SLIPWAY_SEED"] ?? Date.now() % 1_000_000);
const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

describe.skipIf(withoutLocal())(`uploads of which nginx or the service is killed in the middle, seed ${seed}`, () => {
  let site: LocalTestSite;
  useTestSite({}, (started) => (site = started));

  const ask = ({ method, path, headers }: Wording, body?: Buffer): Promise<Answer | undefined> =>
    send(site, path, { method, headers, pause: 5, ...(body === undefined ? {} : { body }) }).catch(() => undefined);

  /** Repeats a question until it is answered with success. */
  async function insist(question: () => Promise<Answer | undefined>): Promise<Answer> {
    for (const end = Date.now() + 60_000; Date.now() < end; await pause(30)) {
      const answer = await question();
      if (answer !== undefined && answer.status < 300) return answer;
    }
    throw new Error("no answer of success in 60 s");
  }

  /** As a client that never gives up: asks where the upload stands, sends on, and asks again. */
  async function upload(client: DialectClient, bytes: Buffer, chunk: number): Promise<void> {
    const { headers } = await insist(() => ask(client.create(bytes.length)));
    const address = new URL(headers["location"] ?? "", site.url).pathname;
    for (const end = Date.now() + 60_000; Date.now() < end; ) {
      const head = await insist(() => ask(client.head(address)));
      if (client.complete(head, bytes.length)) return;
      const offset = Number(head.headers["upload-offset"]);
      const piece = bytes.subarray(offset, offset + chunk);
      await ask(client.append(address, offset, piece.length, bytes.length), piece);
    }
    throw new Error("not complete in 60 s");
  }

  it.each(resumingDialects.slice(0, 2).map((client) => [client.name, client] as const))("end whole and recorded once, by %s", async (_, client) => {
    const random = generator(seed);
    const files = Array.from({ length: 4 }, () => randomBytes(random.integer(6 * MiB, 12 * MiB)));
    let over = false;
    const uploads = Promise.all(files.map((bytes) => upload(client, bytes, 256 * 1024))).finally(() => (over = true));
    let kills = 0;
    for (; kills < KILLS && !over; kills += 1) {
      await pause(random.integer(20, 150));
      const victim = kills % 3 === 2 ? site.site.nginx : site.site.service!;
      await victim.kill();
      victim.start();
      await site.site.ready();
    }
    await uploads;
    expect(kills).toBeGreaterThan(3);
    const { rows } = site.kept();
    expect(rows.map(({ checksums, state }) => `${checksums["sha256"]} ${state}`).sort()).toEqual(files.map((bytes) => `${sha256(bytes)} complete`).sort());
    for (const { target, checksums } of rows) expect(sha256(readFileSync(join(site.site.store, "files", target)))).toBe(checksums["sha256"]);
  }, 120_000);
});
