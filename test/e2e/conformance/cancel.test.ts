/** Uploads that are cancelled while bytes of them come: nothing of them stays, whichever was faster. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type DialectClient, resumingDialects, type Wording } from "../../helpers/dialects.ts";
import { type Answer, openRequest, send, until, type Wire } from "../../helpers/e2e-client.ts";
import { type LocalTestSite, withoutLocal } from "../../helpers/e2e-local.ts";
import { generator } from "../../helpers/e2e-random.ts";
import { useTestSite } from "../../helpers/e2e-suite.ts";

const MiB = 1024 * 1024;
const seed = Number(process.env["SLIPWAY_SEED"] ?? 1);

describe.skipIf(withoutLocal())("a cancelled upload", () => {
  let site: LocalTestSite;
  useTestSite({}, (started) => (site = started));

  const ask = ({ method, path, headers }: Wording, body?: Buffer): Promise<Answer> => send(site, path, { method, headers, ...(body === undefined ? {} : { body }) });

  async function created(client: DialectClient, total: number, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const { headers } = await ask(client.create(total, more));
    return new URL(headers["location"] ?? "", site.url).pathname;
  }

  /** Sends the head of a piece and the beginning of its body. */
  async function begin(client: DialectClient, address: string, bytes: Buffer, sent: number): Promise<Wire> {
    const connection = await openRequest(site, client.append(address, 0, bytes.length, bytes.length));
    connection.write(bytes.subarray(0, sent));
    return connection;
  }

  describe.each(resumingDialects.map((client) => [client.name, client] as const))("of %s", (_, client) => {
    it("leaves nothing while a request writes, nor when that ends", async () => {
      const bytes = randomBytes(8 * MiB);
      for (const ends of ["goes on", "goes away", "falls silent"]) {
        const address = await created(client, bytes.length);
        const connection = await begin(client, address, bytes, 3 * MiB);
        await until("it writes", () => site.kept().incoming.length === 2);
        expect((await ask(client.cancel(address))).status).toBe(204);
        expect(site.kept()).toEqual({ incoming: [], files: [], rows: [] });
        if (ends === "goes on") {
          connection.write(bytes.subarray(3 * MiB));
          expect([404, 409]).toContain((await connection.answer()).status);
        }
        if (ends === "falls silent") await sleep(1500);
        connection.destroy();
        await sleep(200);
        expect(site.kept(), ends).toEqual({ incoming: [], files: [], rows: [] });
      }
    });

    it("leaves nothing when the request that begins it breaks off: its address was never told", async () => {
      const bytes = randomBytes(4 * MiB);
      const connection = await openRequest(site, client.create(bytes.length, { "content-length": String(bytes.length), "content-type": "application/offset+octet-stream" }));
      connection.write(bytes.subarray(0, 3 * MiB));
      await until("it writes", () => site.kept().incoming.length === 2);
      connection.destroy();
      await site.expectNothingKept();
      expect((await send(site, "/api/uploads?state=receiving")).text).toContain('"uploads":[]');
    });

    it(`leaves nothing when it is cancelled as a request begins, seed ${seed}`, async () => {
      const random = generator(seed);
      const bytes = randomBytes(300_000);
      for (let round = 0; round < 25; round += 1) {
        const address = await created(client, bytes.length);
        const piece = ask(client.append(address, 0, 200_000, bytes.length), bytes.subarray(0, 200_000));
        await sleep(random.integer(0, 12));
        const [, cancelled] = await Promise.all([piece, ask(client.cancel(address))]);
        expect(cancelled.status).toBe(204);
      }
      await until("nothing is left", () => site.kept().incoming.length === 0).catch(() => undefined);
      expect(site.kept()).toEqual({ incoming: [], files: [], rows: [] });
    });
  });

  it("leaves nothing of a file of parts when the last of them is cancelled while another writes", async () => {
    const [client] = resumingDialects;
    const bytes = randomBytes(4 * MiB);
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    const part = (offset: number): Promise<string> =>
      created(client!, 2 * MiB, { "upload-concat": "partial", "upload-metadata": `file ${base64("k".repeat(32))},offset ${base64(String(offset))},total ${base64(String(4 * MiB))}` });
    const [first, second] = [await part(0), await part(2 * MiB)];
    expect((await ask(client!.append(first, 0, MiB, 2 * MiB), bytes.subarray(0, MiB))).status).toBe(204);
    const connection = await begin(client!, second, bytes.subarray(2 * MiB), MiB);
    await sleep(100);
    expect((await ask(client!.cancel(second))).status).toBe(204);
    expect(site.kept().incoming).toHaveLength(2);
    // What others of the file have brought stays while they are there.
    expect((await ask(client!.head(first))).headers["upload-offset"]).toBe(String(MiB));
    expect((await ask(client!.cancel(first))).status).toBe(204);
    connection.write(bytes.subarray(3 * MiB));
    expect([404, 409]).toContain((await connection.answer()).status);
    connection.destroy();
    expect(site.kept()).toEqual({ incoming: [], files: [], rows: [] });
  });
});
