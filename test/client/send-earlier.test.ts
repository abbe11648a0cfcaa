/** What an earlier run has begun, held against the file as it is now and what the site still has. */
import { createHash, randomBytes } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { identify } from "../../client/send/local-file.ts";
import { openSite } from "../../client/send/site.ts";
import { type Begun, statePath, UploadState } from "../../client/send/state.ts";
import { FakeTusSite } from "../helpers/fake-tus-site.ts";

const MiB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "slipway-earlier-"));
const content = randomBytes(20 * MiB);
const sha256 = createHash("sha256").update(content).digest("hex");
const path = join(folder, "data.bin");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a file that was begun in an earlier run", { timeout: 60_000 }, () => {
  let site: FakeTusSite;
  let url: URL;
  let stateFolder: string;
  let before: Begun;
  let notes: string[];
  let told: number[];

  /** Four segments of 5 MiB: two are there, one is there by a half, one was not begun. */
  beforeEach(async () => {
    site = new FakeTusSite({ size: content.length, sha256 });
    url = await site.start();
    stateFolder = mkdtempSync(join(folder, "state-"));
    writeFileSync(path, content);
    for (const [index, bytes] of [5 * MiB, 5 * MiB, 2.5 * MiB].entries()) site.parts.set(`/tus/${index}`, { at: index * 5 * MiB, bytes, cancelled: false });
    before = {
      identity: await identify({ path, name: "data.bin", size: content.length }),
      file: "the-name-of-this-file",
      segments: [0, 1, 2, 3].map((index) => ({ start: index * 5 * MiB, length: 5 * MiB, url: index < 3 ? new URL(`/tus/${index}`, url).href : null, done: index < 2 })),
    };
    await new UploadState(statePath(path, url, stateFolder)).write(before);
    [notes, told] = [[], []];
  });
  afterEach(() => site.stop());

  async function send(restart = false) {
    const open = await openSite({ url, stateFolder, onNote: (text) => void notes.push(text) });
    try {
      return await open.send({ path, name: "data.bin", size: statSync(path).size }, { streams: 2, restart, onResumed: (bytes) => void told.push(bytes) });
    } finally {
      await open.close();
    }
  }
  const states = (): string[] => readdirSync(stateFolder);
  const remembered = (): unknown => JSON.parse(readFileSync(join(stateFolder, states()[0]!), "utf8"));

  it("is told with what the site has of it", async () => {
    expect(await send()).toMatchObject({ ok: true, resumed: 12.5 * MiB });
    expect(told).toEqual([12.5 * MiB]);
    expect(states()).toEqual([]);
  });

  it.each([[0, 7.5], [1, 7.5], [2, 10]])("is told with what is really there when the site has lost segment %d", async (lost, left) => {
    site.parts.delete(`/tus/${lost}`);
    expect(await send()).toMatchObject({ ok: true, sha256, resumed: left * MiB });
    expect(told).toEqual([left * MiB]);
    expect(site.joined).toEqual([0, 5, 10, 15].map((at) => at * MiB));
  });

  it("is told with what is really there when the site has lost bytes of a segment", async () => {
    site.parts.get("/tus/1")!.bytes = MiB;
    expect(await send()).toMatchObject({ ok: true, resumed: 8.5 * MiB });
    expect([told, site.parts.get("/tus/1")!.bytes]).toEqual([[8.5 * MiB], 5 * MiB]);
  });

  const day = new Date("2026-01-02T03:04:05.000Z");
  it.each([
    ["grew", () => writeFileSync(path, Buffer.concat([content, content])), "its size was 20971520 bytes and is 41943040"],
    ["was cut short, below what goes in one request", () => truncateSync(path, 1000), "its size was 20971520 bytes and is 1000"],
    ["was written to", () => utimesSync(path, day, day), "its modification time was "],
  ])("is refused when it %s, and nothing is touched", async (_, change, what) => {
    change();
    const result = await send();
    expect(result).toEqual({
      ok: false, kind: "changed", code: "changed_since", status: null, kept: 12.5 * MiB,
      message: expect.stringContaining(`has changed since it was partly sent: ${what}`) as string,
      hint: "put the file back as it was, its modification time too, and it goes on; or add --restart to send it anew",
    });
    expect(result).toMatchObject({ message: expect.stringMatching(/; the site keeps 12\.5 MiB of the 20\.0 MiB$/) as string });
    expect([...new Set(site.seen.map((one) => one.split(" ")[0]))]).toEqual(["HEAD"]);
    expect([states().length, remembered(), told, notes]).toEqual([1, before, [], []]);
  });

  it("says both times when it was written to", async () => {
    utimesSync(path, day, day);
    expect(await send()).toMatchObject({ message: expect.stringContaining(`was ${new Date(before.identity.mtime).toISOString()} and is 2026-01-02T03:04:05.000Z; the site`) as string });
  });

  it.each([["as it was", (mtime: number) => mtime], ["with the seconds of its time alone", (mtime: number) => Math.floor(mtime / 1000) * 1000]])("goes on when it was refused and put back %s", async (_, kept) => {
    writeFileSync(path, "other");
    expect(await send()).toMatchObject({ ok: false, code: "changed_since" });
    // Under another inode, as from a backup.
    const backup = join(folder, "backup");
    writeFileSync(backup, content);
    copyFileSync(backup, `${path}.new`);
    const time = kept(before.identity.mtime) / 1000;
    utimesSync(`${path}.new`, time, time);
    renameSync(`${path}.new`, path);
    expect(await send()).toMatchObject({ ok: true, sha256, resumed: 12.5 * MiB });
  });

  it("is sent anew with --restart, and frees what the site has of it", async () => {
    utimesSync(path, day, day);
    expect(await send(true)).toMatchObject({ ok: true, sha256, resumed: 0 });
    expect(["/tus/0", "/tus/1", "/tus/2"].map((one) => site.parts.get(one)!.cancelled)).toEqual([true, true, true]);
    expect(notes).toEqual(["data.bin has changed since it was partly sent; it is sent anew, and what the site had of it is removed"]);
    expect([states(), told]).toEqual([[], []]);
  });

  it("goes on with --restart when it has not changed", async () => expect(await send(true)).toMatchObject({ ok: true, resumed: 12.5 * MiB }));

  it("is sent from the start when it has changed and the site has nothing of it any more", async () => {
    utimesSync(path, day, day);
    site.parts.clear();
    expect(await send()).toMatchObject({ ok: true, sha256, resumed: 0 });
    expect(notes).toEqual(["data.bin has changed since it was partly sent, and the site has nothing of that any more; it is sent from the start"]);
  });
});
