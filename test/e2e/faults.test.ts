import { chmodSync, mkdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Answer, form, json, post, randomFile, records, send, type UploadAnswer, until, wire } from "../helpers/e2e-client.ts";
import { remove, sha256, sha256OfFile, temporaryFolder } from "../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";

const MiB = 1024 * 1024;
/** Long enough for a machine that stands still meanwhile. */
const COMPLETION_TIMEOUT_S = 4;
const local = withoutLocal();
const skipped = (reason: string | undefined): string => (reason === undefined ? "" : `: skipped, ${reason}`);
const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

/** Status and code of an error answer, both of which must have a sentence and a hint. */
function errorOf(answer: Pick<Answer, "status" | "text">): string {
  const { error } = JSON.parse(answer.text) as { error: { code: string; message: string; hint: string } };
  expect(error.message).toMatch(/^[A-Z].+\.$/);
  expect(error.hint).toMatch(/^[A-Z].+\.$/);
  return `${answer.status} ${error.code}`;
}

describe.skipIf(local !== undefined)(`a site whose parts fail${skipped(local)}`, () => {
  let site: LocalTestSite;
  const service = () => site.site.service!;
  beforeAll(async () => {
    site = await startTestSite({ upload: { completionTimeout: `${COMPLETION_TIMEOUT_S}s` } });
  });
  afterAll(() => site?.stop());
  afterEach(async () => {
    if (site === undefined) return;
    if (!service().running) service().start();
    process.kill(service().pid!, "SIGCONT");
    await site.site.ready();
    site.clear();
  });

  /** Begins an upload, lets something happen in the middle of it, and sends the rest. */
  async function uploadAround(happens: () => unknown): Promise<{ status: number; text: string; content: Buffer }> {
    const file = randomFile("around.bin", 2 * MiB);
    const { body, boundary } = form([file]);
    const connection = await wire(site);
    connection.write(`POST /upload HTTP/1.1\r\nHost: ${new URL(site.url).host}\r\nAccept: application/json\r\nContent-Type: multipart/form-data; boundary=${boundary}\r\nContent-Length: ${body.length}\r\n\r\n`);
    connection.write(body.subarray(0, MiB));
    await until("the file has begun", () => site.kept().incoming.length === 1);
    await happens();
    connection.write(body.subarray(MiB));
    const { status, body: text } = await connection.answer();
    connection.destroy();
    return { status, text, content: file.content };
  }

  async function expectWhole({ status, text, content }: { status: number; text: string; content: Buffer }): Promise<void> {
    expect(status, text).toBe(200);
    const { id, checksums } = JSON.parse(text) as UploadAnswer;
    expect(checksums["sha256"]).toBe(sha256(content));
    const { incoming, files, rows } = site.kept();
    expect({ incoming, files }).toEqual({ incoming: [], files: rows.map(({ target }) => target) });
    expect(rows).toEqual([expect.objectContaining({ id, state: "complete" })]);
    expect(await sha256OfFile(join(site.site.store, "files", files[0]!))).toBe(sha256(content));
  }

  it("says 502 when the service is down, and keeps nothing", async () => {
    await service().kill();
    expect(errorOf(await post(site, [randomFile("a.bin", 5000)]))).toBe("502 service_down");
    await site.expectNothingKept();
  });

  it("says 502 when the service is killed while the upload runs, and keeps nothing", async () => {
    const answer = await uploadAround(() => service().kill());
    expect(errorOf(answer)).toBe("502 service_down");
    await site.expectNothingKept();
  });

  it("files an upload whose service was killed and came back while it ran", async () => {
    await expectWhole(
      await uploadAround(async () => {
        await service().kill();
        service().start();
        await site.site.ready();
      }),
    );
  });

  it("files an upload whose service was slow for less than the time-out", async () => {
    await expectWhole(
      await uploadAround(() => {
        process.kill(service().pid!, "SIGSTOP");
        setTimeout(() => process.kill(service().pid!, "SIGCONT"), 500);
      }),
    );
  });

  it("says 504 when the service is too slow, and keeps nothing, not even when it wakes up", async () => {
    const answer = await uploadAround(() => process.kill(service().pid!, "SIGSTOP"));
    expect(errorOf(answer)).toBe("504 service_slow");
    await until("nginx has removed the file", () => site.kept().incoming.length === 0);
    process.kill(service().pid!, "SIGCONT");
    await site.site.ready();
    await pause(500);
    await site.expectNothingKept();
  });

  it("keeps a client's upload whole or not at all when it goes while the service works", async () => {
    const { body, boundary } = form([randomFile("gone.bin", MiB)]);
    process.kill(service().pid!, "SIGSTOP");
    const connection = await wire(site);
    connection.write(`POST /upload HTTP/1.1\r\nHost: ${new URL(site.url).host}\r\nContent-Type: multipart/form-data; boundary=${boundary}\r\nContent-Length: ${body.length}\r\n\r\n`);
    connection.write(body);
    await until("the whole file has come", () => site.kept().incoming.some((path) => statSync(join(site.site.store, "incoming", path)).size === MiB));
    await pause(200);
    connection.destroy();
    await pause(200);
    process.kill(service().pid!, "SIGCONT");
    await site.site.ready();
    await pause(500);
    await until("the service is done with it", () => site.kept().incoming.length === 0 && site.kept().rows.every(({ state }) => state === "complete")).catch(() => undefined);
    const { incoming, files, rows } = site.kept();
    expect(incoming).toEqual([]);
    expect(files).toEqual(rows.map(({ target }) => target));
    expect(rows.every(({ state }) => state === "complete")).toBe(true);
  });

  it("says 503 when the store is gone, names no path, and works again when it is back", async () => {
    const incoming = join(site.site.store, "incoming");
    renameSync(incoming, `${incoming}.away`);
    const answer = await post(site, [randomFile("a.bin", 5000)]).finally(() => renameSync(`${incoming}.away`, incoming));
    expect(errorOf(answer)).toBe("503 unavailable");
    expect(answer.text).not.toContain(site.site.store);
    await site.expectNothingKept();
    expect((await post(site, [randomFile("b.bin", 5000)])).status).toBe(200);
  });

  it("refuses at the service what never went through nginx", async () => {
    const listen = service().spec.env["SLIPWAY_LISTEN"]!;
    const { stdout } = await execa("curl", ["--silent", "--write-out", "\n%{http_code}", "--form", "file.path=/etc/passwd", "--form", "file.name=x", "--form", "file.size=1", `http://${listen}/internal/complete`]);
    const [text = "", status = ""] = stdout.split(/\n(?=\d+$)/);
    expect(errorOf({ status: Number(status), text })).toBe("403 forbidden");
    await site.expectNothingKept();
  });

  it("starts again in the middle of a busy site without losing an answered upload", async () => {
    const kept: UploadAnswer[] = [];
    for (let round = 0; round < 3; round++) {
      const answers = Promise.allSettled(Array.from({ length: 8 }, (_, i) => post(site, [randomFile(`${round}-${i}.bin`, 50_000)])));
      await pause(20);
      await service().kill();
      service().start();
      await site.site.ready();
      for (const answer of await answers) if (answer.status === "fulfilled" && answer.value.status === 200) kept.push(json<UploadAnswer>(answer.value));
    }
    const listed = await records(site);
    for (const { id } of kept) expect(listed.map((record) => record.id)).toContain(id);
    const { files, rows } = site.kept();
    expect([...files].sort()).toEqual(rows.map(({ target }) => target).sort());
  }, 60_000);
});

const noTmpfs = local ?? (process.getuid?.() === 0 ? undefined : "not root, so no small file system can be mounted");
describe.skipIf(noTmpfs !== undefined)(`a site whose disk is full${skipped(noTmpfs)}`, () => {
  let folder: string;
  let site: LocalTestSite;
  beforeAll(async () => {
    folder = temporaryFolder();
    chmodSync(folder, 0o755);
    const store = join(folder, "site", "store");
    mkdirSync(store, { recursive: true });
    await execa("mount", ["-t", "tmpfs", "-o", "size=8m,mode=2770,uid=10001,gid=10001", "tmpfs", store]);
    site = await startTestSite({}, join(folder, "site"));
  });
  afterAll(async () => {
    await site?.stop();
    await execa("umount", [join(folder, "site", "store")]);
    remove(folder);
  });

  it("says 507, keeps nothing of the upload, and takes the next one that fits", async () => {
    expect(errorOf(await post(site, [randomFile("too-much.bin", 12 * MiB)]))).toBe("507 disk_full");
    await site.expectNothingKept();

    const first = await post(site, [randomFile("fits.bin", 5 * MiB)]);
    expect(first.status, first.text).toBe(200);
    const before = site.kept();
    expect(errorOf(await post(site, [randomFile("no-more.bin", 5 * MiB)]))).toBe("507 disk_full");
    await until("the rest is removed", () => site.kept().incoming.length === 0);
    expect(site.kept()).toEqual(before);
    expect((await send(site, "/list", { headers: { accept: "text/html" } })).status).toBe(200);
  });
});
