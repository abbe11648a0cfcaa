import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { planSegments } from "../../client/send/segments.ts";
import { type Begun, parseBegun } from "../../client/send/state.ts";
import { openSite } from "../../client/send/site.ts";
import { FakeTusSite } from "../helpers/fake-tus-site.ts";

const MiB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "slipway-ahead-"));
const content = randomBytes(40 * MiB);
const sha256 = createHash("sha256").update(content).digest("hex");
const source = { path: join(folder, "data.bin"), name: "data.bin", size: content.length };
writeFileSync(source.path, content);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STREAMS = 2;
const STARTS = planSegments(content.length, STREAMS).map(({ start }) => start);
const SEGMENTS = STARTS.length;

describe("addresses of the next segments", { timeout: 60_000 }, () => {
  let site: FakeTusSite;
  let url: URL;
  let stateFolder: string;
  beforeEach(async () => {
    site = new FakeTusSite({ size: content.length, sha256 });
    url = await site.start();
    stateFolder = mkdtempSync(join(folder, "state-"));
  });
  afterEach(() => site.stop());

  async function send(signal?: AbortSignal) {
    const open = await openSite({ url, stateFolder });
    try {
      return await open.send(source, { streams: STREAMS, ...(signal === undefined ? {} : { signal }) });
    } finally {
      await open.close();
    }
  }

  const until = async (check: () => boolean): Promise<void> => {
    while (!check()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  function remembered(): Begun {
    const [name] = readdirSync(stateFolder).filter((one) => one.endsWith(".json"));
    return parseBegun(readFileSync(join(stateFolder, name!), "utf8"))!;
  }

  it("are asked for while segments are sent, no more than there are streams", async () => {
    // No segment is answered before the next one has its address.
    let most = 0;
    site.answers = async () => {
      const sent = site.seen.filter((one) => one.startsWith("PATCH")).length;
      await until(() => site.parts.size > Math.min(sent, SEGMENTS - 1));
      most = Math.max(most, site.parts.size - sent);
    };
    expect(await send()).toMatchObject({ ok: true, sha256 });
    expect(site.joined).toEqual(STARTS);
    expect(most).toBeLessThanOrEqual(STREAMS);
    // What was begun in this run is not asked for its offset, but for the file.
    expect(site.seen.filter((one) => one.startsWith("HEAD"))).toEqual(["HEAD /tus/final"]);
    expect(site.seen.filter((one) => one === "POST")).toHaveLength(SEGMENTS + 1);
  });

  it("are asked for again in their turn when they were refused", async () => {
    site.refuses = (asked) => asked > STREAMS && asked % 2 === 1;
    expect(await send()).toMatchObject({ ok: true, sha256 });
    expect(site.joined).toEqual(STARTS);
  });

  it("are remembered when they were not used, and used by the next run", async () => {
    const stop = new AbortController();
    site.answers = async () => {
      await until(() => site.parts.size > STREAMS);
      await until(() => remembered().segments.filter((segment) => segment.url !== null).length > STREAMS);
      stop.abort();
    };
    expect(await send(stop.signal)).toMatchObject({ ok: false, kind: "aborted" });
    const before = remembered().segments.filter((segment) => segment.url !== null).length;
    expect(before).toBeGreaterThan(STREAMS);
    site.answers = async () => undefined;
    expect(await send()).toMatchObject({ ok: true, sha256 });
    expect(site.joined).toEqual(STARTS);
    expect(site.parts.size).toBeLessThanOrEqual(SEGMENTS + 1);
  });

  it("are given back when the file changed", async () => {
    site.answers = async () => {
      await until(() => site.parts.size > STREAMS);
      await until(() => remembered().segments.filter((segment) => segment.url !== null).length > STREAMS);
      writeFileSync(source.path, content);
    };
    expect(await send()).toMatchObject({ ok: false, kind: "changed" });
    const given = [...site.parts.values()].filter(({ cancelled }) => cancelled);
    expect(given.length).toBeGreaterThan(STREAMS);
    expect(readdirSync(stateFolder).filter((one) => one.endsWith(".json"))).toEqual([]);
  });
});
