/** Many small files: in few requests, each of them once, under its name and folder. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSite } from "../../client/send/site.ts";
import type { SmallFile } from "../../client/send/source.ts";
import { startCuttingProxy } from "../helpers/cutting-proxy.ts";
import { type DeafProxy, startDeafProxy } from "../helpers/deaf-proxy.ts";
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

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => remove(folder));

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

async function expectNothingLeft(count: number): Promise<void> {
  // What nginx still reads of a request that was cut ends with its connection.
  await until("nothing is under way", () => site.kept().incoming.length === 0).catch(() => undefined);
  const { rows, incoming, files } = site.kept();
  expect([rows.length, files.length, incoming]).toEqual([count, count, []]);
  expect(rows.every(({ state }) => state === "complete")).toBe(true);
}

/** Begins to push the folder `run`. */
function push(port: number, parallel: number) {
  writeFileSync(join(folder, "ca.pem"), site.ca);
  const args = ["push", "--parallel", String(parallel), "--cacert", "ca.pem", "run", `https://localhost:${port}`];
  return spawn(process.execPath, [program, ...args], { cwd: folder, env: { ...process.env, XDG_STATE_HOME: join(folder, "state") }, stdio: ["ignore", "ignore", "pipe"] });
}

/** Pushes the folder `run`, and expects an exit code. */
async function expectPush(port: number, parallel: number, exit: number): Promise<void> {
  const child = push(port, parallel);
  let err = "";
  child.stderr.on("data", (text: Buffer) => (err += String(text)));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code, err).toBe(exit);
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
    expect(results?.map((result) => result.ok && [result.sha256, result.size, result.checked])).toEqual(files.map(({ path, size }) => [sha256(readFileSync(path)), size, true]));
    expect(await listed()).toEqual(expected(files, "by night"));
    expect(requests() - before).toBe(1);
    await expectNothingLeft(files.length);
  });

  it("sends the others when one cannot be read or is not what it should be", async () => {
    const good = [file("1", "one"), file("2", "two")] as const;
    const gone = { path: join(folder, "gone"), name: "gone", size: 1 };
    const other = { ...file("other", "other"), sha256: "0".repeat(64) };
    const wrongSize = { ...file("grown", "grown"), size: 3 };
    const target = await open();
    const first = await target.sendTogether([good[0], gone, other, wrongSize, good[1]], { key: randomUUID() });
    expect(first?.map((result) => result.ok || result.kind)).toEqual([true, "local", "digest", "changed", true]);
    await target.close();
    expect(await listed()).toEqual(expected(good));
    await expectNothingLeft(good.length);
  });

  it("says so when a form of them is not wanted, and has sent none", async () => {
    const target = await open();
    expect(await target.sendTogether([file("too large", Buffer.alloc(64 * 1024 + 1)), file("1", "one")], { key: randomUUID() })).toBeUndefined();
    await target.close();
    await expectNothingLeft(0);
  });

  it.each(["end", "late reset", "reset"] as const)("files each of them once through cuts by %s", async (cutBy) => {
    const files = Array.from({ length: 60 }, (_, index) => file(`many/${index % 7}/${index}`, Buffer.alloc(3000, index)));
    // A connection that is cut behind the last byte of a request has lost an answer.
    const proxy = await startCuttingProxy({ port: Number(new URL(site.url).port), seed: 7, cuts: 8, cutAfter: [20_000, 80_000], cutBy });
    const target = await open(String(proxy.port));
    try {
      for (let at = 0; at < files.length; at += 20) {
        const results = await target.sendTogether(files.slice(at, at + 20), { key: randomUUID() });
        expect(results?.every(({ ok }) => ok), JSON.stringify(results)).toBe(true);
      }
      expect(proxy.cuts()).toBeGreaterThan(2);
    } finally {
      await target.close();
      await proxy.stop();
    }
    expect(await listed()).toEqual(expected(files));
    await expectNothingLeft(files.length);
  }, 60_000);

  it("stops when it is told to", async () => {
    const target = await open();
    expect((await target.sendTogether([file("1", "one"), file("2", "two")], { key: randomUUID(), signal: AbortSignal.abort() }))?.map((result) => !result.ok && result.kind)).toEqual(["aborted", "aborted"]);
    await target.close();
    await expectNothingLeft(0);
  });
});

describe.skipIf(withoutLocal())("e2e: push of small files that was killed", () => {
  useTestSite(props, use);

  interface Twice {
    /** Whether it is time to kill the first. */
    readonly isDone: (deaf: DeafProxy) => boolean;
    /** What happens before the second. */
    readonly between?: () => void;
    /** Files or forms at the same time. @default 2 */
    readonly parallel?: number;
    /** Exit code of the second. @default 0 */
    readonly exit?: number;
  }

  /** Everything reaches the site, and of the answers only the first; then the same command again, which hears them all. */
  async function pushTwice({ isDone, between = () => undefined, parallel = 2, exit = 0 }: Twice): Promise<void> {
    const deaf = await startDeafProxy(Number(new URL(site.url).port));
    try {
      const first = push(deaf.port, parallel);
      await until("push waits for answers that do not come", () => isDone(deaf));
      first.kill("SIGKILL");
      await once(first, "close");
      between();
      deaf.hear();
      await expectPush(deaf.port, parallel, exit);
    } finally {
      await deaf.stop();
    }
  }

  const files = (content = "content", count = 40) => Array.from({ length: count }, (_, index) => file(`run/${index % 3}/${index}`, `${content} ${index}`));
  const filed = (): number => site.kept().rows.filter(({ state }) => state === "complete").length;

  it("files none twice when push was killed before it heard of them, and the same command goes on", async () => {
    const sent = files();
    await pushTwice({ isDone: () => filed() === sent.length });
    expect(await listed()).toEqual(expected(sent));
    await expectNothingLeft(sent.length);
  }, 60_000);

  it.each([40, 7])("sends of what it did not hear of only the %i files anew that changed meanwhile", async (changes) => {
    const before = expected(files());
    let after: readonly string[] = [];
    const between = (): void => void (after = expected(files("others", changes)));
    await pushTwice({ isDone: () => filed() === before.length, between });
    expect(await listed()).toEqual([...before, ...after].sort());
    await expectNothingLeft(before.length + changes);
  }, 60_000);

  it.each([
    ["went each in a form of its own, as that of all was refused", 3, (): readonly SmallFile[] => {
      file("run/too large", Buffer.alloc(64 * 1024 + 1));
      return files();
    }],
    ["went each by itself, as no form can have their names", 0, () => Array.from({ length: 40 }, (_, index) => file(`run/"${index}"`, `quoted ${index}`))],
  ])("files none twice when push was killed while they %s", async (_, exit, make) => {
    const sent = make();
    let heard = 0;
    // Some of the answers to files come through; then it waits for one that does not.
    await pushTwice({ isDone: (deaf) => deaf.kept() > 0, between: () => void (heard = filed()), parallel: 1, exit });
    expect(heard).toBeGreaterThan(2);
    expect(heard).toBeLessThan(sent.length);
    expect(await listed()).toEqual(expected(sent));
    await expectNothingLeft(sent.length);
  }, 60_000);
});

describe.skipIf(withoutLocal())("e2e: push of small files to a site that takes small bodies", () => {
  useTestSite({ upload: { maxBodySize: "64k" } }, use);

  it("sends each by itself that is too large for a form", async () => {
    const sent = [file("run/a", "a"), file("run/b", Buffer.alloc(64 * 1024, 7)), file("run/c", "c")];
    await expectPush(Number(new URL(site.url).port), 1, 0);
    // The form of all, then one of each, of which the second does not fit either.
    expect(requests()).toBe(5);
    expect(await listed()).toEqual(expected(sent));
    await expectNothingLeft(sent.length);
  });
});
