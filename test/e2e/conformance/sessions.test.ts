import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { describe, expect, it } from "vitest";
import { type DialectClient, digestField, resumable, resumingDialects, type Wording } from "../../helpers/dialects.ts";
import { type Answer, openRequest, send, until } from "../../helpers/e2e-client.ts";
import { sha256 } from "../../helpers/e2e-files.ts";
import { type LocalTestSite, withoutLocal } from "../../helpers/e2e-local.ts";
import { generator } from "../../helpers/e2e-random.ts";
import { useTestSite } from "../../helpers/e2e-suite.ts";

const MiB = 1024 * 1024;
const seed = Number(process.env["SLIPWAY_SEED"] ?? 1);

describe.skipIf(withoutLocal())("conformance of upload sessions", () => {
  let site: LocalTestSite;
  useTestSite({ upload: { maxFileSize: "16m" } }, (started) => (site = started));

  const ask = ({ method, path, headers }: Wording, body?: Buffer): Promise<Answer> => send(site, path, { method, headers: { accept: "application/json", ...headers }, ...(body === undefined ? {} : { body }) });

  /** Sends the beginning of a request and goes away; nginx has read all of it, as it closes the connection then. */
  async function cut(wording: Wording, bytes: Buffer): Promise<void> {
    const connection = await openRequest(site, wording);
    connection.socket.end(bytes);
    if (!connection.socket.closed) await once(connection.socket, "close");
  }

  async function created(client: DialectClient, total: number | null, more?: Record<string, string>): Promise<string> {
    const answer = await ask(client.create(total, more));
    expect(answer.status, answer.text).toBe(201);
    return new URL(answer.headers["location"] ?? "", site.url).pathname;
  }

  const append = (client: DialectClient, address: string, offset: number, bytes: Buffer, total: number): Promise<Answer> => ask(client.append(address, offset, bytes.length, total), bytes);

  async function offsetOf(client: DialectClient, address: string): Promise<number> {
    const answer = await ask(client.head(address));
    expect([200, 204], answer.text).toContain(answer.status);
    expect(answer.headers["cache-control"]).toBe("no-store");
    return Number(answer.headers["upload-offset"]);
  }

  async function expectFiled(bytes: Buffer, name = "käse.bin"): Promise<void> {
    await until("what is no longer needed is gone", () => site.kept().incoming.length === 0).catch(() => undefined);
    const { rows, incoming } = site.kept();
    expect(rows.map(({ checksums, size, state }) => ({ checksums, size, state }))).toEqual([{ checksums: { sha256: sha256(bytes) }, size: bytes.length, state: "complete" }]);
    expect(rows[0]?.target.endsWith(`/${name}`)).toBe(true);
    expect(sha256(readFileSync(join(site.site.store, "files", rows[0]!.target)))).toBe(sha256(bytes));
    expect(incoming).toEqual([]);
  }

  function expire(): void {
    const database = new Database(site.site.layout.database);
    database.exec("UPDATE sessions SET expires_at = '2000-01-01T00:00:00.000Z', expire_after = 0");
    database.close();
  }

  async function restart(): Promise<void> {
    await site.site.service?.stop(5000);
    site.site.service?.start();
    await site.site.ready();
  }

  describe.each(resumingDialects)("$name", (client) => {
    it("takes a file in one piece", async () => {
      const bytes = randomBytes(100_000);
      const address = await created(client, bytes.length);
      expect(await offsetOf(client, address)).toBe(0);
      const answer = await append(client, address, 0, bytes, bytes.length);
      expect([200, 204], answer.text).toContain(answer.status);
      expect(answer.headers["upload-offset"]).toBe("100000");
      expect(answer.headers["repr-digest"]).toBe(digestField(bytes));
      await expectFiled(bytes);
    });

    it("takes a file in many pieces, and says how far it is", async () => {
      const bytes = randomBytes(3 * MiB + 1);
      const address = await created(client, bytes.length);
      for (let at = 0; at < bytes.length; at += MiB) {
        expect(await offsetOf(client, address)).toBe(at);
        const answer = await append(client, address, at, bytes.subarray(at, at + MiB), bytes.length);
        expect(answer.headers["upload-offset"]).toBe(String(Math.min(at + MiB, bytes.length)));
      }
      expect(client.complete(await ask(client.head(address)), bytes.length)).toBe(true);
      await expectFiled(bytes);
    });

    it("takes a length that is known only at the end", async () => {
      const bytes = randomBytes(200_000);
      const address = await created(client, null);
      expect((await append(client, address, 0, bytes.subarray(0, 50_000), bytes.length)).status).toBe(204);
      expect((await append(client, address, 50_000, bytes.subarray(50_000), bytes.length)).status).toBeLessThan(300);
      await expectFiled(bytes);
    });

    it("takes a length that is told when all bytes are there", async () => {
      const bytes = randomBytes(70_000);
      const address = await created(client, null);
      expect((await append(client, address, 0, bytes, bytes.length + 1)).status).toBe(204);
      const answer = await append(client, address, bytes.length, Buffer.alloc(0), bytes.length);
      expect([200, 204], answer.text).toContain(answer.status);
      await expectFiled(bytes);
    });

    it("takes a file of nothing", async () => {
      const address = await created(client, 0);
      await append(client, address, 0, Buffer.alloc(0), 0);
      expect(client.complete(await ask(client.head(address)), 0)).toBe(true);
      await expectFiled(Buffer.alloc(0));
    });

    it(`goes on after cuts at random bytes (seed ${seed})`, async () => {
      const random = generator(seed);
      for (let round = 0; round < 5; round += 1) {
        site.clear();
        const bytes = randomBytes(random.integer(1, 4 * MiB));
        const address = await created(client, bytes.length);
        let offset = 0;
        for (let cuts = 0; cuts < 3 && offset < bytes.length; cuts += 1) {
          const until = random.integer(offset, bytes.length - 1);
          await cut(client.append(address, offset, bytes.length - offset, bytes.length), bytes.subarray(offset, until));
          const next = await offsetOf(client, address);
          expect(next).toBeGreaterThanOrEqual(offset);
          expect(next).toBeLessThanOrEqual(until);
          offset = next;
        }
        expect((await append(client, address, offset, bytes.subarray(offset), bytes.length)).status).toBeLessThan(300);
        await expectFiled(bytes);
      }
    });

    it("refuses a wrong offset, and says the right one", async () => {
      const bytes = randomBytes(1000);
      const address = await created(client, bytes.length);
      await append(client, address, 0, bytes.subarray(0, 300), bytes.length);
      for (const wrong of [0, 299, 301, 999]) {
        const answer = await append(client, address, wrong, bytes.subarray(wrong), bytes.length);
        expect([answer.status, answer.headers["upload-offset"]]).toEqual([409, "300"]);
      }
      expect((await append(client, address, 300, bytes.subarray(300), bytes.length)).status).toBeLessThan(300);
      await expectFiled(bytes);
    });

    it("frees the space of a cancelled upload at once", async () => {
      const address = await created(client, 1000);
      await append(client, address, 0, randomBytes(500), 1000);
      expect(site.kept().incoming.length).toBe(2);
      expect((await ask(client.cancel(address))).status).toBe(204);
      expect(site.kept()).toEqual({ incoming: [], files: [], rows: [] });
      expect((await ask(client.head(address))).status).toBe(404);
      expect((await append(client, address, 500, randomBytes(500), 1000)).status).toBe(404);
    });

    it("forgets an upload whose time is over", async () => {
      const address = await created(client, 1000);
      await append(client, address, 0, randomBytes(500), 1000);
      expire();
      expect((await append(client, address, 500, randomBytes(500), 1000)).status).toBe(410);
      await restart();
      await site.expectNothingKept();
    });

    it("refuses a file that differs from its announced digest, and keeps nothing of it", async () => {
      const bytes = randomBytes(10_000);
      const address = await created(client, bytes.length, { "repr-digest": digestField(Buffer.from("another")) });
      const answer = await append(client, address, 0, bytes, bytes.length);
      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("digest_mismatch")]);
      await site.expectNothingKept();
    });

    it("refuses a piece that differs from its digest, and goes on from before it", async () => {
      const bytes = randomBytes(10_000);
      const address = await created(client, bytes.length);
      await append(client, address, 0, bytes.subarray(0, 4000), bytes.length);
      const piece = client.append(address, 4000, 6000, bytes.length);
      const wrong = await ask({ ...piece, headers: { ...piece.headers, "content-digest": digestField(Buffer.from("another")) } }, bytes.subarray(4000));
      expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining("digest_mismatch")]);
      expect(await offsetOf(client, address)).toBe(4000);
      const right = await ask({ ...piece, headers: { ...piece.headers, "content-digest": digestField(bytes.subarray(4000)) } }, bytes.subarray(4000));
      expect(right.status, right.text).toBeLessThan(300);
      await expectFiled(bytes);
    });

    it("refuses what is too large before a byte of it is sent", async () => {
      expect((await ask(client.create(16 * MiB + 1))).status).toBe(413);
      const address = await created(client, 1000);
      expect((await append(client, address, 0, randomBytes(1001), 5000)).status).toBe(413);
      expect((await append(client, address, 0, randomBytes(1000), 1000)).status).toBeLessThan(300);
    });

    it("answers a repeated last request", async () => {
      const bytes = randomBytes(1000);
      const address = await created(client, bytes.length);
      await append(client, address, 0, bytes, bytes.length);
      const again = await append(client, address, 1000, Buffer.alloc(0), 1000);
      expect(again.status, again.text).toBeLessThan(300);
      expect(again.headers["upload-offset"]).toBe("1000");
      // What it does not keep it must not take.
      expect((await append(client, address, 1000, Buffer.from("more"), 1004)).status).toBeGreaterThanOrEqual(400);
      await expectFiled(bytes);
    });

    it("files an upload once when its last request was never settled", async () => {
      const bytes = randomBytes(50_000);
      const address = await created(client, bytes.length);
      await site.site.service?.stop(5000);
      expect((await append(client, address, 0, bytes, bytes.length)).status).toBeGreaterThanOrEqual(500);
      site.site.service?.start();
      await site.site.ready();
      const offset = await offsetOf(client, address);
      const answer = await append(client, address, offset, bytes.subarray(offset), bytes.length);
      expect(answer.status, answer.text).toBeLessThan(300);
      await expectFiled(bytes);
    });
  });

  it.each([4, 9])("refuses interop version %i of resumable uploads, which is not spoken, and names those that are", async (version) => {
    const [spoken, strange] = [resumable(8), resumable(version)];
    const refusal = [400, expect.stringContaining("5, 6, 7, 8")];
    const begun = await ask(strange.create(1000));
    expect([begun.status, begun.text]).toEqual(refusal);
    await site.expectNothingKept();
    const address = await created(spoken, 1000);
    const appended = await append(strange, address, 0, randomBytes(1000), 1000);
    expect([appended.status, appended.text]).toEqual(refusal);
    expect((await ask(strange.head(address))).status).toBe(400);
    expect((await ask(strange.cancel(address))).status).toBe(400);
    expect(await offsetOf(spoken, address)).toBe(0);
  });
});
