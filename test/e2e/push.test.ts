import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openSite } from "../../client/send/site.ts";
import { planFiles } from "../../client/plan.ts";
import { type CuttingProxy, startCuttingProxy } from "../helpers/cutting-proxy.ts";
import { until } from "../helpers/e2e-client.ts";
import { remove, sha256, temporaryFolder } from "../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";
import { leastOf } from "../helpers/steady.ts";

const skip = withoutLocal();
const MiB = 1024 * 1024;
const program = join(import.meta.dirname, "../../client/slipway.mjs");

/** Connections that a server on this port still holds; proc(5). */
function connections(port: number): string[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  // 0A waits for connections, 06 is over.
  return readFileSync("/proc/net/tcp", "latin1").split("\n").filter((line) => line.indexOf(local) > 0 && line.indexOf(local) < 20 && !/^ *\d+: \S+ \S+ (?:0A|06) /.test(line));
}

describe.skipIf(skip)("e2e: push over tus", () => {
  let site: LocalTestSite;
  let folder: string;
  let port: number;
  /** Lines that nginx had logged before the test. */
  let logged = 0;
  const bytes = randomBytes(64 * MiB);

  beforeAll(async () => {
    folder = temporaryFolder();
    site = await startTestSite({});
    port = Number(new URL(site.url).port);
    writeFileSync(join(folder, "ca.pem"), site.ca);
  }, 120_000);
  afterAll(async () => {
    await site?.stop();
    remove(folder);
  });
  beforeEach(() => {
    site.clear();
    writeFileSync(join(folder, "data.bin"), bytes);
    logged = lines().length;
  });

  const env = (): NodeJS.ProcessEnv => ({ ...process.env, XDG_STATE_HOME: join(folder, "state") });
  function push(address: string, ...more: readonly string[]): { readonly process: ChildProcess; readonly ended: Promise<{ code: number | null; err: string; out: string }> } {
    const started = spawn(process.execPath, [program, "push", "--cacert", "ca.pem", ...more, "data.bin", address], { cwd: folder, env: env() });
    let [out, err] = ["", ""];
    started.stdout.on("data", (text: Buffer) => (out += String(text)));
    started.stderr.on("data", (text: Buffer) => (err += String(text)));
    return { process: started, ended: new Promise((resolve) => started.on("close", (code) => resolve({ code, err, out }))) };
  }

  function expectFiled(content: Buffer): void {
    const { rows } = site.kept();
    expect(rows.map(({ checksums, size, state }) => ({ checksums, size, state }))).toEqual([{ checksums: { sha256: sha256(content) }, size: content.length, state: "complete" }]);
    expect(sha256(readFileSync(join(site.site.store, "files", rows[0]!.target)))).toBe(sha256(content));
  }

  const lines = (): string[] => readFileSync(join(site.site.layout.logs, "access.log"), "utf8").split("\n").slice(0, -1);

  /** Bytes of bodies that nginx has read, by its log; its requests end a moment after their connections. */
  async function bytesRead(): Promise<number> {
    await sleep(500);
    return lines().slice(logged).map((line) => JSON.parse(line) as { method: string; bytesReceived: number }).filter(({ method }) => method === "PATCH").reduce((sum, { bytesReceived }) => sum + bytesReceived, 0);
  }

  /**
   * What nginx has read is hardly sent again. What the proxy has passed on and nobody has received, in the buffers
   * between, is lost with a reset; how much that is the load of the machine decides.
   */
  const cutRows = [1, 8].flatMap((streams) => ([["end", 1.02], ["late reset", 1.02], ["reset", 2]] as const).map(([cutBy, most]) => [streams, cutBy, most] as const));
  it.each(cutRows)("sends 64 MiB by %d streams whole through 20 random cuts by %s", async (streams, cutBy, most) => {
    /** Sends the file. @returns the bytes that left for the site, as a part of the file's */
    const throughCuts = async (): Promise<number> => {
      site.clear();
      logged = lines().length;
      const proxy = await startCuttingProxy({ port, seed: 20, cuts: 20, cutAfter: [1, 5 * MiB], splitAt: 64 * 1024, cutBy });
      const target = await openSite({ url: new URL(`https://localhost:${proxy.port}/upload`), ca: Buffer.from(site.ca), stateFolder: join(folder, "state") });
      try {
        const [file] = (await planFiles(["data.bin"], folder)).files;
        const result = await target.send(file!, { streams });
        expect(result).toMatchObject({ ok: true, sha256: sha256(bytes), checked: true });
        expect(proxy.cuts()).toBe(20);
        const read = (await bytesRead()) / bytes.length;
        expect(read).toBeLessThan(1.02);
        expectFiled(bytes);
        expect(site.kept().incoming).toEqual([]);
        return proxy.sent() / bytes.length;
      } finally {
        await target.close();
        await proxy.stop();
      }
    };
    expect(await leastOf(most, throughCuts)).toBeLessThan(most);
  }, 240_000);

  const third = bytes.length / 3;
  /** Kills the client in the middle of the file, through a proxy that holds what comes after a third of it. */
  async function killed(address: string, proxy: CuttingProxy, ...more: readonly string[]): Promise<void> {
    const first = push(address, ...more);
    await until("a third is sent", () => proxy.sent() >= third);
    first.process.kill("SIGKILL");
    expect((await first.ended).code).toBeNull();
    expect(site.kept().rows).toEqual([]);
    proxy.goOn();
  }

  it("goes on after kill -9 where the site stands", async () => {
    const proxy = await startCuttingProxy({ port, seed: 1, holdAfter: third });
    const address = `https://localhost:${proxy.port}`;
    try {
      await killed(address, proxy);
      const again = await push(address, "--json").ended;
      expect(again.code, again.err).toBe(0);
      expect(proxy.sent() / bytes.length).toBeLessThan(1.05);
      expectFiled(bytes);
      const [goesOn, arrived] = again.out.trim().split("\n").map((line) => JSON.parse(line) as { readonly resumed: number });
      expect(goesOn).toEqual({ file: "data.bin", resumed: arrived!.resumed, size: bytes.length });
      expect(arrived!.resumed / bytes.length).toBeGreaterThan(0.2);
      expect(arrived!.resumed / bytes.length).toBeLessThan(0.9);
    } finally {
      await proxy.stop();
    }
  }, 60_000);

  /** Waits until nginx has done with the requests of a client that was killed: each gives its session some more time. */
  const settled = (): Promise<void> => until("nginx has no connection of an upload", () => connections(port).length === 0);
  const lostRows = [1, 8].flatMap((streams) => ([["has ended", () => site.expireSessions()], ["is gone", () => site.clear()]] as const).map(([what, lose]) => [streams, what, lose] as const));
  it.each(lostRows)("files it once when what %d streams sent %s at the site on another day", async (streams, _what, lose) => {
    const proxy = await startCuttingProxy({ port, seed: 3, holdAfter: third });
    const address = `https://localhost:${proxy.port}`;
    try {
      await killed(address, proxy, "--streams", String(streams));
      await settled();
      lose();
      const again = await push(address, "--streams", String(streams), "--json").ended;
      expect(again.code, again.err).toBe(0);
      expectFiled(bytes);
      expect(JSON.parse(again.out.trim().split("\n").at(-2)!)).toMatchObject({ resumed: 0, size: bytes.length });
    } finally {
      await proxy.stop();
    }
  }, 60_000);

  describe("when the file has changed after kill -9", () => {
    let proxy: CuttingProxy;
    let address: string;
    const path = (): string => join(folder, "data.bin");
    const changed = Buffer.concat([bytes, Buffer.from("more")]);
    let time: Date;
    beforeEach(async () => {
      proxy = await startCuttingProxy({ port, seed: 2, holdAfter: third });
      address = `https://localhost:${proxy.port}`;
      time = new Date("2026-01-02T03:04:05Z");
      utimesSync(path(), time, time);
      await killed(address, proxy);
      await settled();
      appendFileSync(path(), "more");
    });
    afterEach(() => proxy.stop());

    it("refuses it, sends the others, and goes on when it is put back", async () => {
      writeFileSync(join(folder, "other.bin"), bytes.subarray(0, MiB));
      const before = site.kept().incoming;
      const run = await push(address, "--json", "other.bin").ended;
      expect(run.code, run.err).toBe(6);
      const told = run.out.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
      const refused = told.find(({ file }) => file === "data.bin") as { readonly error: { readonly message: string; readonly kept: number } };
      expect(refused).toEqual({ file: "data.bin", ok: false, error: { kind: "changed", code: "changed_since", status: null, message: expect.any(String), hint: expect.stringContaining("--restart"), kept: expect.any(Number) } });
      expect(refused.error.message).toContain(`its size was ${bytes.length} bytes and is ${bytes.length + 4}; the site keeps `);
      expect(refused.error.kept / bytes.length).toBeGreaterThan(0.2);
      expect(told.find(({ file }) => file === "other.bin")).toMatchObject({ ok: true, size: MiB });
      expect(told.at(-1)).toMatchObject({ summary: { files: 2, arrived: 1, failed: 1, exitCode: 6 } });
      expect(site.kept().incoming).toEqual(before);

      const again = await push(address).ended;
      expect([again.code, again.err]).toEqual([6, expect.stringMatching(/\nFAIL {2}data\.bin: has changed since it was partly sent: .*; put the file back as it was, .* or add --restart to send it anew\n/)]);
      truncateSync(path(), bytes.length);
      utimesSync(path(), time, time);
      const back = await push(address, "--json").ended;
      expect(back.code, back.err).toBe(0);
      expect(back.out.split("\n")[0]).toBe(JSON.stringify({ file: "data.bin", resumed: refused.error.kept, size: bytes.length }));
      expect(site.kept().rows.map(({ checksums }) => checksums)).toContainEqual({ sha256: sha256(bytes) });
      expect(site.kept().incoming).toEqual([]);
    }, 60_000);

    it("sends it anew with --restart, and frees the space of the one before", async () => {
      const run = await push(address, "--restart").ended;
      expect(run.code, run.err).toBe(0);
      expect(run.err).toContain("note  data.bin has changed since it was partly sent; it is sent anew, and what the site had of it is removed");
      expectFiled(changed);
      expect(site.kept().incoming).toEqual([]);
    }, 60_000);

    it("sends it from the start when its time at the site is over", async () => {
      site.expireSessions();
      const run = await push(address).ended;
      expect(run.code, run.err).toBe(0);
      expect(run.err).toContain("note  data.bin has changed since it was partly sent, and the site has nothing of that any more; it is sent from the start");
      expectFiled(changed);
    }, 60_000);

    it("refuses it also when it has become small, and sends it so with --restart", async () => {
      truncateSync(path(), 1000);
      const run = await push(address).ended;
      expect([run.code, run.err]).toEqual([6, expect.stringContaining(`its size was ${bytes.length} bytes and is 1000; the site keeps `)]);
      expect(site.kept().rows).toEqual([]);
      expect((await push(address, "--restart").ended).code).toBe(0);
      expectFiled(bytes.subarray(0, 1000));
      expect(site.kept().incoming).toEqual([]);
    }, 60_000);
  });
});
