/** Many small files: in few requests, each of them once, under its name and folder. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openSite } from "../../client/send/site.ts";
import type { SmallFile } from "../../client/send/source.ts";
import { startCuttingProxy } from "../helpers/cutting-proxy.ts";
import { json, send } from "../helpers/e2e-client.ts";
import { remove, sha256, temporaryFolder } from "../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";

interface Row {
  readonly name: string;
  readonly folder: string | null;
  readonly size: number;
  readonly checksums: { readonly sha256: string };
  readonly description: string | null;
}

describe.skipIf(withoutLocal())("e2e: push of small files", () => {
  let site: LocalTestSite;
  let folder: string;

  beforeAll(async () => {
    folder = temporaryFolder();
    // Operators may leave out what the page does not send: push needs its fields all the same.
    site = await startTestSite({ upload: { maxFileSize: "64k", passFields: ["^submit$"] } });
  }, 120_000);
  afterAll(async () => {
    await site?.stop();
    remove(folder);
  });
  beforeEach(() => site.clear());

  const file = (name: string, content: string | Buffer): SmallFile => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return { path, name, size: Buffer.byteLength(content) };
  };
  const open = (port = new URL(site.url).port) => openSite({ url: new URL(`https://localhost:${port}/upload`), ca: Buffer.from(site.ca), stateFolder: join(folder, "state") });

  /** What the site lists: path, size and digest of each, sorted. */
  async function listed(): Promise<readonly string[]> {
    const { uploads } = json<{ uploads: readonly Row[] }>(await send(site, "/api/uploads?limit=200"));
    return uploads.map(({ name, folder: below, size, checksums, description }) => [below === null ? name : `${below}/${name}`, size, checksums.sha256, description].join(" ")).sort();
  }
  const expected = (files: readonly SmallFile[], description = ""): readonly string[] =>
    files.map(({ name, path, size }) => [name, size, sha256(readFileSync(path)), description].join(" ")).sort();

  function expectNothingLeft(count: number): void {
    const { rows, incoming, files } = site.kept();
    expect([rows.length, files.length, incoming]).toEqual([count, count, []]);
    expect(rows.every(({ state }) => state === "complete")).toBe(true);
  }

  it("sends a form of them in one request, with names, folders and a description", async () => {
    const names = ["a", "sub/b", "sub/deep er/c.txt", "Übung 🚀/ü.bin", "100%22.txt", "a;b='c'.txt", "sub/a"];
    const files = [...names.map((name, index) => file(name, `content ${index}`)), file("nothing", ""), file("large", Buffer.alloc(64 * 1024, 1))];
    const target = await open();
    const before = requests();
    const results = await target.sendTogether(files, { description: "by night" });
    await target.close();
    expect(results.map((result) => result.ok && [result.sha256, result.size, result.checked])).toEqual(files.map(({ path, size }) => [sha256(readFileSync(path)), size, true]));
    expect(await listed()).toEqual(expected(files, "by night"));
    expect(requests() - before).toBe(1);
    expectNothingLeft(files.length);
  });

  const requests = (): number => readFileSync(join(site.site.layout.logs, "access.log"), "utf8").split("\n").filter((line) => line.includes('"method":"POST"')).length;

  it("sends the others when one cannot be read, is not what it should be, or is not wanted", async () => {
    const good = [file("1", "one"), file("2", "two"), file("3", "three")] as const;
    const gone = { path: join(folder, "gone"), name: "gone", size: 1 };
    const other = { ...file("other", "other"), sha256: "0".repeat(64) };
    const wrongSize = { ...file("grown", "grown"), size: 3 };
    const target = await open();
    const first = await target.sendTogether([good[0], gone, other, wrongSize, good[1]], {});
    expect(first.map((result) => result.ok || result.kind)).toEqual([true, "local", "digest", "changed", true]);
    const second = await target.sendTogether([file("too large", Buffer.alloc(64 * 1024 + 1)), good[2]], {});
    expect(second.map((result) => result.ok || [result.kind, result.status])).toEqual([["refused", 413], true]);
    await target.close();
    expect(await listed()).toEqual(expected(good));
    expectNothingLeft(good.length);
  });

  it.each(["end", "late reset", "reset"] as const)("files each of them once through cuts by %s", async (cutBy) => {
    const files = Array.from({ length: 60 }, (_, index) => file(`many/${index % 7}/${index}`, Buffer.alloc(3000, index)));
    // A connection that is cut behind the last byte of a request has lost an answer.
    const proxy = await startCuttingProxy({ port: Number(new URL(site.url).port), seed: 7, cuts: 8, cutAfter: [20_000, 80_000], cutBy });
    const target = await open(String(proxy.port));
    try {
      for (let at = 0; at < files.length; at += 20) {
        const results = await target.sendTogether(files.slice(at, at + 20), {});
        expect(results.every(({ ok }) => ok), JSON.stringify(results)).toBe(true);
      }
      expect(proxy.cuts()).toBeGreaterThan(2);
    } finally {
      await target.close();
      await proxy.stop();
    }
    expect(await listed()).toEqual(expected(files));
    expectNothingLeft(files.length);
  }, 60_000);

  it("stops when it is told to", async () => {
    const target = await open();
    expect((await target.sendTogether([file("1", "one"), file("2", "two")], { signal: AbortSignal.abort() })).map((result) => !result.ok && result.kind)).toEqual(["aborted", "aborted"]);
    await target.close();
    expectNothingLeft(0);
  });
});
