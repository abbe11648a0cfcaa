/** Many small files: in few requests, each of them once, under its name and folder. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSite } from "../../client/send/site.ts";
import type { SmallFile } from "../../client/send/source.ts";
import { startCuttingProxy } from "../helpers/cutting-proxy.ts";
import { startDeafProxy } from "../helpers/deaf-proxy.ts";
import { json, send, until } from "../helpers/e2e-client.ts";
import { remove, sha256, temporaryFolder } from "../helpers/e2e-files.ts";
import { type LocalTestSite, withoutLocal } from "../helpers/e2e-local.ts";
import { useTestSite } from "../helpers/e2e-suite.ts";

const program = join(import.meta.dirname, "../../client/slipway.mjs");

interface Row {
  readonly name: string;
  readonly folder: string | null;
  readonly size: number;
  readonly checksums: { readonly sha256: string };
  readonly description: string | null;
}

let site: LocalTestSite;
let folder: string;

beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => remove(folder));

/** Operators may leave out what the page does not send: push needs its fields all the same. */
const props = { upload: { maxFileSize: "64k", passFields: ["^submit$"] } };
const use = (started: LocalTestSite): void => void (site = started);

function file(name: string, content: string | Buffer): SmallFile {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return { path, name, size: Buffer.byteLength(content) };
}

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

/** POST requests that nginx has answered. */
const requests = (): number => readFileSync(join(site.site.layout.logs, "access.log"), "utf8").split("\n").filter((line) => line.includes('"method":"POST"')).length;

describe.skipIf(withoutLocal())("e2e: push of small files", () => {
  useTestSite(props, use);

  it("sends a form of them in one request, with names, folders and a description", async () => {
    const names = ["a", "sub/b", "sub/deep er/c.txt", "Übung 🚀/ü.bin", "100%22.txt", "a;b='c'.txt", "sub/a"];
    const files = [...names.map((name, index) => file(name, `content ${index}`)), file("nothing", ""), file("large", Buffer.alloc(64 * 1024, 1))];
    const target = await open();
    const before = requests();
    const results = await target.sendTogether(files, { key: randomUUID(), description: "by night" });
    await target.close();
    expect(results.map((result) => result.ok && [result.sha256, result.size, result.checked])).toEqual(files.map(({ path, size }) => [sha256(readFileSync(path)), size, true]));
    expect(await listed()).toEqual(expected(files, "by night"));
    expect(requests() - before).toBe(1);
    expectNothingLeft(files.length);
  });

  it("sends the others when one cannot be read, is not what it should be, or is not wanted", async () => {
    const good = [file("1", "one"), file("2", "two"), file("3", "three")] as const;
    const gone = { path: join(folder, "gone"), name: "gone", size: 1 };
    const other = { ...file("other", "other"), sha256: "0".repeat(64) };
    const wrongSize = { ...file("grown", "grown"), size: 3 };
    const target = await open();
    const first = await target.sendTogether([good[0], gone, other, wrongSize, good[1]], { key: randomUUID() });
    expect(first.map((result) => result.ok || result.kind)).toEqual([true, "local", "digest", "changed", true]);
    const second = await target.sendTogether([file("too large", Buffer.alloc(64 * 1024 + 1)), good[2]], { key: randomUUID() });
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
        const results = await target.sendTogether(files.slice(at, at + 20), { key: randomUUID() });
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
    expect((await target.sendTogether([file("1", "one"), file("2", "two")], { key: randomUUID(), signal: AbortSignal.abort() })).map((result) => !result.ok && result.kind)).toEqual(["aborted", "aborted"]);
    await target.close();
    expectNothingLeft(0);
  });
});

describe.skipIf(withoutLocal())("e2e: push of small files that was killed", () => {
  useTestSite(props, use);

  const push = (target: string) => spawn(process.execPath, [program, "push", "--parallel", "2", "--cacert", "ca.pem", "run", target], { cwd: folder, env: { ...process.env, XDG_STATE_HOME: join(folder, "state") }, stdio: ["ignore", "ignore", "pipe"] });

  /** Everything reaches the site, and no answer comes back to a form; then the same command again, which hears them. */
  async function pushTwice(count: number, between: () => void = () => undefined): Promise<void> {
    writeFileSync(join(folder, "ca.pem"), site.ca);
    const deaf = await startDeafProxy(Number(new URL(site.url).port));
    try {
      const first = push(`https://localhost:${deaf.port}`);
      await until("all is filed", () => site.kept().rows.filter(({ state }) => state === "complete").length === count, 20);
      first.kill("SIGKILL");
      await once(first, "close");
      between();
      deaf.hear();
      const again = push(`https://localhost:${deaf.port}`);
      let err = "";
      again.stderr.on("data", (text: Buffer) => (err += String(text)));
      const [code] = (await once(again, "close")) as [number | null];
      expect(code, err).toBe(0);
    } finally {
      await deaf.stop();
    }
  }

  const files = () => Array.from({ length: 40 }, (_, index) => file(`run/${index % 3}/${index}`, `content ${index}`));

  it("files none twice when push was killed before it heard of them, and the same command goes on", async () => {
    const sent = files();
    await pushTwice(sent.length);
    expect(await listed()).toEqual(expected(sent));
    expectNothingLeft(sent.length);
  }, 60_000);

  it("sends what changed meanwhile anew", async () => {
    const before = expected(files());
    let after: readonly string[] = [];
    await pushTwice(before.length, () => {
      after = expected(Array.from({ length: before.length }, (_, index) => file(`run/${index % 3}/${index}`, `others ${index}`)));
    });
    expect(await listed()).toEqual([...before, ...after].sort());
    expectNothingLeft(2 * before.length);
  }, 60_000);
});
