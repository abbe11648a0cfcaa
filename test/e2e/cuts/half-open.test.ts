import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { type DialectClient, resumingDialects, type Wording } from "../../helpers/dialects.ts";
import { openRequest, send, type Wire } from "../../helpers/e2e-client.ts";
import { sha256 } from "../../helpers/e2e-files.ts";
import { type LocalTestSite, withoutLocal } from "../../helpers/e2e-local.ts";
import { useTestSite } from "../../helpers/e2e-suite.ts";
import { bestOf } from "../../helpers/steady.ts";

const MiB = 1024 * 1024;
const SECOND = 1000;

interface TakeOver {
  /** Where it went on. */
  readonly offset: number;
  readonly status: number;
  /** Milliseconds from the question for the offset to the answer to the rest. */
  readonly took: number;
}

describe.skipIf(withoutLocal())("a connection that the client lost and nginx still believes in", () => {
  let site: LocalTestSite;
  const open: Wire[] = [];
  const bytes = randomBytes(8 * MiB);

  useTestSite({}, (started) => (site = started));
  afterAll(() => open.forEach((connection) => connection.destroy()));

  /** Sends a request and half of its body, and is heard of no more: no end, no reset. */
  async function goSilent(wording: Wording, body: Buffer): Promise<void> {
    const connection = await openRequest(site, wording);
    open.push(connection);
    await new Promise<void>((resolve) => connection.socket.write(body, () => resolve()));
    await sleep(300);
  }

  /** Asks for the offset and sends the rest. */
  async function takeOver(client: DialectClient, address: string): Promise<TakeOver> {
    const began = performance.now();
    const head = client.head(address);
    const offset = Number((await send(site, head.path, head)).headers["upload-offset"]);
    const rest = bytes.subarray(offset);
    const append = client.append(address, offset, rest.length, bytes.length);
    const { status } = await send(site, append.path, { ...append, body: rest });
    return { offset, status, took: performance.now() - began };
  }

  const isPrompt = ({ took, offset }: TakeOver): boolean => took < SECOND && offset === 5 * MiB;

  function expectFiled(): void {
    expect(site.kept().rows.map(({ checksums, state }) => [checksums["sha256"], state])).toEqual([[sha256(bytes), "complete"]]);
  }

  it.each(resumingDialects.map((client) => [client.name, client] as const))("is taken over within a second, by %s", async (name, client) => {
    const { offset, status, took } = await bestOf(isPrompt, async () => {
      site.clear();
      const created = client.create(bytes.length);
      const { headers } = await send(site, created.path, created);
      const address = new URL(headers["location"] ?? "", site.url).pathname;
      await goSilent(client.append(address, 0, bytes.length, bytes.length), bytes.subarray(0, 5 * MiB));
      return takeOver(client, address);
    });
    console.info(`${name}: taken over at ${offset} of ${5 * MiB}, done after ${Math.round(took)} ms`);
    expect(status).toBeLessThan(300);
    expect(took).toBeLessThan(SECOND);
    // Of a client that has fallen silent all that came counts: nothing of it is sent again.
    expect(offset).toBe(5 * MiB);
    expectFiled();
  });

  it("is taken over within a second, by ranged segments", async () => {
    const { status, took } = await bestOf(isPrompt, async () => {
      site.clear();
      const wording = { method: "POST", path: "/upload", headers: { "content-type": "application/octet-stream", "session-id": randomBytes(8).toString("hex"), "content-range": `bytes 0-${bytes.length - 1}/${bytes.length}`, "content-length": String(bytes.length) } };
      await goSilent(wording, bytes.subarray(0, 5 * MiB));
      const began = performance.now();
      const answer = await send(site, wording.path, { ...wording, body: bytes });
      return { offset: 5 * MiB, status: answer.status, took: performance.now() - began };
    });
    expect(status).toBe(200);
    expect(took).toBeLessThan(SECOND);
    expectFiled();
  });
});
