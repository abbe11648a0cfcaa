/** A disk that is full, a store on two file systems, a database that cannot be written: on small file systems of their own. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { complete, fieldsOf, makeServiceFolder, type ServiceFolder, startTestService, type TestService, writeIncoming } from "../helpers/service.ts";
import { readTree } from "../helpers/tree.ts";

function canMount(): boolean {
  const { root } = makeServiceFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "none", root], { stdio: "ignore" });
    execFileSync("umount", [root]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const mounts = canMount();

let folder: ServiceFolder;
let service: TestService | undefined;
const mounted: string[] = [];

function mount(path: string, options: string): void {
  mkdirSync(path, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "none", path]);
  mounted.push(path);
}

async function errorOf(response: Response): Promise<{ status: number; code: string }> {
  const { error } = (await response.json()) as { error: { code: string } };
  return { status: response.status, code: error.code };
}

describe.skipIf(!mounts)(`faults of the file system${mounts ? "" : " (SKIPPED: tmpfs cannot be mounted; run as root)"}`, () => {
  beforeEach(() => {
    folder = makeServiceFolder();
  });

  afterEach(async () => {
    await service?.stop();
    service = undefined;
    // Lazily: libsql keeps the database's files open until its statements have been collected.
    for (const path of mounted.splice(0).reverse()) execFileSync("umount", ["--lazy", path]);
    rmSync(folder.root, { recursive: true, force: true });
  });

  it("answers 507 when the store is full, keeps nothing, and goes on when there is room", async () => {
    mount(folder.store, "size=1m,nr_inodes=20");
    service = await startTestService({ folder });
    const file = writeIncoming(folder, "x", "1/0000000001");
    const fillers: string[] = [];
    for (let i = 0; statfsSync(folder.store).ffree > 0; i += 1) {
      const path = join(folder.store, `filler${i}`);
      writeFileSync(path, "");
      fillers.push(path);
    }
    expect(await errorOf(await complete(service, fieldsOf(file, "x")))).toEqual({ status: 507, code: "disk_full" });
    expect(readTree(join(folder.store, "files"))).toEqual([]);
    expect(existsSync(file.path)).toBe(false);
    expect(await (await service.ask("/api/uploads")).json()).toEqual({ uploads: [], next: null });
    for (const path of fillers) rmSync(path);
    expect((await complete(service, fieldsOf(writeIncoming(folder, "y", "1/0000000002"), "y"))).status).toBe(200);
  });

  it("answers 507 when the database's disk is full, leaves the upload to nginx, and goes on when there is room", async () => {
    const database = join(folder.root, "database");
    mount(database, "size=512k");
    service = await startTestService({ folder: { ...folder, database: join(database, "records.db") } });
    const filler = join(database, "filler");
    const { bavail, bsize } = statfsSync(database);
    writeFileSync(filler, Buffer.alloc(Number(bavail) * Number(bsize)));
    const description: [string, string] = ["description", "d".repeat(60_000)];
    const file = writeIncoming(folder, "x");
    expect(await errorOf(await complete(service, [...fieldsOf(file, "x"), description]))).toEqual({ status: 507, code: "disk_full" });
    expect(readTree(join(folder.store, "files"))).toEqual([]);
    rmSync(filler);
    expect((await complete(service, [...fieldsOf(file, "x"), description])).status).toBe(200);
  });

  it("does not start on a store of two file systems", async () => {
    mount(join(folder.store, "incoming"), "size=64k");
    await expect(startTestService({ folder })).rejects.toMatchObject({ code: "EXDEV" });
    expect(readdirSync(join(folder.store, "incoming"))).toEqual([]);
  });

  it("says that the store is split when that happens while it runs", async () => {
    service = await startTestService({ folder });
    const day = join(folder.store, "files", new Date().toISOString().slice(0, 10));
    mount(day, "size=64k");
    const file = writeIncoming(folder, "x");
    expect(await errorOf(await complete(service, fieldsOf(file, "x")))).toEqual({ status: 500, code: "store_split" });
    expect(readTree(dirname(day))).toEqual([]);
    expect(await (await service.ask("/api/uploads")).json()).toEqual({ uploads: [], next: null });
  });

  it("answers 503 when the store has become read-only", async () => {
    mount(folder.store, "size=1m");
    service = await startTestService({ folder });
    const file = writeIncoming(folder, "x", "1/0000000001");
    execFileSync("mount", ["-o", "remount,ro", folder.store]);
    expect(await errorOf(await complete(service, fieldsOf(file, "x")))).toEqual({ status: 503, code: "unavailable" });
    execFileSync("mount", ["-o", "remount,rw", folder.store]);
  });
});
