import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { get, download } from "../../scripts/core/site-client.ts";
import { freePort } from "../../scripts/local/ports.ts";
import { hashedDirectories } from "../../scripts/local/layout.ts";
import { withOverrides } from "../../scripts/local/overrides.ts";
import { asOwner } from "../../scripts/local/processes.ts";
import { startLocalSite, type LocalSite } from "../../scripts/local/site.ts";
import { withoutLocal } from "../helpers/e2e-local.ts";

const reason = withoutLocal();
const skipped = reason === undefined ? "" : `: skipped, ${reason}`;
const checkout = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "slipway-local-test-"));
// The site's user has to get at what lies below it.
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("overrides", () => {
  it("replace a setting by its path, JSON where it is JSON", () => {
    const site = { name: "a", upload: { path: "/upload", checksums: ["sha256"] } } as const;
    const replaced = { name: "b=c", upload: { path: "/upload", checksums: ["md5"], maxFileSize: "20g" }, listen: { httpPort: false } };
    expect(withOverrides(site, ["upload.maxFileSize=20g", 'upload.checksums=["md5"]', "listen.httpPort=false", "name=b=c"])).toEqual(replaced);
    expect(site.upload.checksums).toEqual(["sha256"]);
  });

  it("are all refused at once when they name no setting", () => {
    expect(() => withOverrides({}, ["maxFileSize", "=1"])).toThrow(/got "maxFileSize".*\n.*got "=1"/);
  });
});

it("makes a directory for every hash, parents first", () => {
  expect(hashedDirectories("/i", [1])).toEqual(["/i", ...Array.from({ length: 10 }, (_, i) => `/i/${i}`)]);
  const two = hashedDirectories("/i", [1, 2]);
  expect(two).toHaveLength(1 + 10 + 1000);
  expect(two.slice(0, 3)).toEqual(["/i", "/i/0", "/i/0/00"]);
});

it("runs a process as the site's user, with the right to a low port only where one is asked for", () => {
  expect(asOwner(["nginx"], undefined, { uid: 1, gid: 2 }, true)).toEqual(["nginx"]);
  expect(asOwner(["nginx"], "/s", { uid: 1, gid: 2 }, false).join(" ")).toBe("/s --reuid=1 --regid=2 --clear-groups -- nginx");
  expect(asOwner(["nginx"], "/s", { uid: 1, gid: 2 }, true).join(" ")).toContain("--ambient-caps=+net_bind_service -- nginx");
});

describe.skipIf(reason !== undefined)(`a local site${skipped}`, () => {
  const sites: LocalSite[] = [];
  const start = async (...args: Parameters<typeof startLocalSite>): Promise<LocalSite> => {
    const site = await startLocalSite(...args);
    sites.push(site);
    return site;
  };
  afterEach(async () => {
    for (const site of sites.splice(0)) await site.stop();
  });

  it("takes a file from push, keeps it exactly and gives it back; two sites do not disturb each other", async () => {
    const [one, two] = await Promise.all([start({ site: { name: "one" } }), start({ site: { name: "two" } })]);
    const file = join(folder, "a file.bin");
    writeFileSync(file, Buffer.alloc(300_000, "slipway"));
    const pushed = await execa(process.execPath, [join(checkout, "client/slipway.mjs"), "push", "--json", "--cacert", one!.caFile!, file, one!.url], { reject: false });
    expect(pushed.exitCode, pushed.stderr).toBe(0);
    const { id, sha256 } = JSON.parse(pushed.stdout.split("\n")[0] ?? "") as { id: string; sha256: string };
    expect(await download(one!.address, `/files/${id}`)).toEqual({ status: 200, size: 300_000, sha256 });
    expect((await get(two!.address, `/api/uploads/${id}`)).status).toBe(404);
    const { uid, mode } = statSync(one!.store);
    expect((mode & 0o7777).toString(8)).toBe("2770");
    expect(uid).toBe(process.getuid?.() === 0 ? 10001 : process.getuid?.());
  });

  it("never runs as root, and leaves neither processes nor files when it is stopped", async () => {
    const site = await start({ site: {} });
    const pids = [site.pids.nginx!, site.pids.service!];
    for (const pid of pids) expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(process.getuid?.() === 0 ? /^Uid:\t10001\t10001\t10001\t10001$/m : /^Uid:/m);
    await sites.pop()!.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(site.root)).toBe(false);
    expect(site.pids).toEqual({ nginx: undefined, service: undefined });
  });

  it("keeps its data and its CA in a root that was named", async () => {
    const root = join(folder, "kept");
    const first = await start({ site: {}, root });
    const ca = readFileSync(first.caFile!, "utf8");
    await sites.pop()!.stop();
    const second = await start({ site: {}, root, httpsPort: await freePort() });
    expect(readFileSync(second.caFile!, "utf8")).toBe(ca);
    expect((await get(second.address, "/healthz")).status).toBe(200);
  });

  it("refuses a root that another site runs in, and leaves that one as it is", async () => {
    const root = join(folder, "used");
    const first = await start({ site: { name: "used" }, root });
    await expect(startLocalSite({ site: { name: "used" }, root })).rejects.toThrow(`${root}: a site runs in this folder already (nginx, process ${first.pids.nginx})`);
    expect((await get(first.address, "/healthz")).status).toBe(200);
  });

  it("can have a part killed and started again", async () => {
    const site = await start({ site: {} });
    for (const part of [site.service!, site.nginx]) {
      const { pid } = part;
      await part.kill();
      expect(isAlive(pid!)).toBe(false);
      part.start();
      await site.ready();
    }
    expect((await get(site.address, "/healthz")).status).toBe(200);
  });

  it("fails with all problems of its props, and makes nothing", async () => {
    const root = join(folder, "never");
    await expect(startLocalSite({ site: { upload: { path: "no", maxFileSize: "1.5g" } }, root })).rejects.toMatchObject({
      problems: [expect.stringContaining("site.upload.path"), expect.stringContaining("site.upload.maxFileSize")],
    });
    expect(existsSync(root)).toBe(false);
  });

  it("fails with nginx's own words when nginx cannot start, and cleans up", async () => {
    const taken = await start({ site: {} });
    await expect(startLocalSite({ site: {}, httpsPort: taken.address.port })).rejects.toThrow(/nginx: ended; its last lines:\n[^]*Address already in use/);
  });

  it.skipIf(process.getuid?.() !== 0)("says so when only root can enter the root (skipped: not root)", async () => {
    const closed = mkdtempSync(join(folder, "closed-"));
    await expect(startLocalSite({ site: {}, root: join(closed, "site") })).rejects.toThrow(/the site's user 10001:10001 cannot read it, got ".*nginx.conf"; choose a --root/);
  });

  it("runs in the foreground as a command and ends on Ctrl-C with 0, leaving nothing", async () => {
    const port = await freePort();
    const child = execa(process.execPath, ["--import", "tsx", join(checkout, "scripts/local.ts"), "--port", String(port)], { cwd: checkout, reject: false });
    const url = await new Promise<string>((resolve) => child.stdout.once("data", (data) => resolve(String(data).trim())));
    expect(url).toBe(`https://localhost:${port}`);
    child.kill("SIGINT");
    const { exitCode, stderr } = await child;
    expect(exitCode, stderr).toBe(0);
    const root = /data and logs (\S+)/.exec(stderr)![1]!;
    expect(existsSync(root)).toBe(false);
  });

  it("leaves nothing when npm and tsx pass the Ctrl-C on that it has had already", async () => {
    const port = await freePort();
    const child = execa("npm", ["run", "-s", "local", "--", "--port", String(port)], { cwd: checkout, reject: false, detached: true });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const stopping = new Promise<void>((resolve) => child.stderr.on("data", (data) => /stopping/.test(String(data)) && resolve()));
    process.kill(-child.pid!, "SIGINT");
    await stopping;
    process.kill(-child.pid!, "SIGINT");
    const root = /data and logs (\S+)/.exec((await child).stderr)![1]!;
    await vi.waitFor(() => expect(existsSync(root)).toBe(false), 20_000);
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
  });

  it("ends with the last lines of a part that died", async () => {
    const port = await freePort();
    const root = join(folder, "dying");
    const child = execa(process.execPath, ["--import", "tsx", join(checkout, "scripts/local.ts"), "--port", String(port), "--root", root], { cwd: checkout, reject: false });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const { stdout: pid } = await execa("cat", [join(root, "nginx/nginx.pid")]);
    process.kill(Number(pid), "SIGKILL");
    const { exitCode, stderr } = await child;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/nginx: ended by itself, with SIGKILL; its last lines:/);
    expect(await execa("pgrep", ["-f", join(root, "service")], { reject: false })).toMatchObject({ stdout: "" });
    // Workers outlive a master that was killed, and go on listening.
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
  });
});
