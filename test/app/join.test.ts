/** Parts without a place of their own, on their way into one file. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Session } from "../../app/records/sessions.ts";
import { concatenate } from "../../app/sessions/concatenate.ts";
import { dataPath } from "../../app/sessions/data.ts";
import type { DialectAnswer, Plan } from "../../app/sessions/dialect.ts";
import { addressOf } from "../../app/sessions/tus/answers.ts";
import { decideFinal } from "../../app/sessions/tus/final.ts";
import { decideHead } from "../../app/sessions/tus/head.ts";
import type { UploadTerms } from "../../app/upload-terms.ts";
import { cannotMount, withTmpfs } from "../helpers/faults.ts";
import { arrivedPart, begun, keptRound, sessionRequest } from "../helpers/sessions.ts";
import { makeServiceFolder, type ServiceFolder, sha256 } from "../helpers/service.ts";
import { openStore, type TestStore } from "../helpers/store.ts";
import { readTree } from "../helpers/tree.ts";

let folder: ServiceFolder;
let store: TestStore;

async function open(): Promise<void> {
  mkdirSync(join(folder.store, "incoming", "sessions"), { recursive: true });
  store = await openStore(folder);
}

async function reopen(): Promise<void> {
  await store.records.close();
  await open();
}

beforeEach(async () => {
  folder = makeServiceFolder();
  await open();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await store.records.close();
  rmSync(folder.root, { recursive: true, force: true });
});

async function arrived(pieces: readonly Buffer[]): Promise<readonly Session[]> {
  const parts: Session[] = [];
  for (const bytes of pieces) parts.push(await arrivedPart(store, bytes));
  return parts;
}

/** A file that was declared; nobody joins its parts yet. */
async function declared(parts: readonly Session[]): Promise<Session> {
  const total = parts.reduce((sum, part) => sum + (part.total ?? 0), 0);
  return begun(store, { kind: "joined", state: "joining", total, parts: parts.map(({ id }) => id) });
}

const give = (plan: Plan): Promise<DialectAnswer> => {
  if (plan.kind === "write") throw new Error("a body is not asked for");
  return plan.give();
};
const declare = async (parts: readonly Session[], terms: Partial<UploadTerms> = {}): Promise<DialectAnswer> =>
  give(await decideFinal(store, sessionRequest("POST", "/tus/", terms), parts.map(({ id }) => addressOf(id))));
const head = async ({ id }: Session): Promise<DialectAnswer> => give(await decideHead(store, sessionRequest("HEAD", addressOf(id))));

/** Names in incoming/, data and states. */
const incoming = (): string[] => readTree(join(folder.store, "incoming")).map(({ path }) => path.split("/").at(-1)!).sort();
const namesOf = (parts: readonly Session[]): string[] => parts.flatMap(({ id }) => [id, `${id}.state`]).sort();

async function expectFiled(session: Session, bytes: Buffer): Promise<void> {
  const [record] = await store.records.ofRequest(session.id);
  expect([record?.size, record?.checksums, record?.state]).toEqual([bytes.length, { sha256: sha256(bytes) }, "complete"]);
  expect(readFileSync(join(folder.store, "files", record!.target)).equals(bytes)).toBe(true);
  expect(incoming()).toEqual([]);
}

it("joins 200 parts in their order, of any length and of none", async () => {
  const pieces = Array.from({ length: 200 }, (_, i) => randomBytes(i % 7 === 0 ? 0 : i % 50 === 1 ? 300_001 : i * 3));
  const session = await declared(await arrived(pieces));
  await keptRound(store);
  await expectFiled(session, Buffer.concat(pieces));
});

it("joins parts of no bytes into a file of none", async () => {
  const session = await declared(await arrived([Buffer.alloc(0), Buffer.alloc(0)]));
  await keptRound(store);
  await expectFiled(session, Buffer.alloc(0));
});

it("joins anew after a kill, whatever the one before has written and still writes", async () => {
  const pieces = [randomBytes(100_000), randomBytes(5)];
  const session = await declared(await arrived(pieces));
  const before = openSync(dataPath(store.paths, session.data), "w");
  writeSync(before, randomBytes(200_000));
  await reopen();
  await keptRound(store);
  writeSync(before, "late", 0);
  closeSync(before);
  await expectFiled(session, Buffer.concat(pieces));
});

it("ends what copies when the service ends", async () => {
  const [cat, pid, target] = [join(folder.root, "cat"), join(folder.root, "pid"), join(folder.root, "target")];
  // Instead of an endless copy.
  writeFileSync(cat, `#!/bin/sh\necho $$ > ${pid}.new\nmv ${pid}.new ${pid}\nexec sleep 600\n`, { mode: 0o755 });
  const module = new URL("../../app/sessions/concatenate.ts", import.meta.url).pathname;
  const script = `const { concatenate } = await import(${JSON.stringify(module)}); process.once("SIGTERM", () => process.exit(7)); await concatenate("/", [], ${JSON.stringify(target)}, 0o600);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], { env: { PATH: `${folder.root}:${process.env["PATH"]}` }, stdio: "ignore" });
  const ended = once(child, "exit");
  await expect.poll(() => existsSync(pid), { timeout: 60_000 }).toBe(true);
  const copying = `/proc/${readFileSync(pid, "utf8").trim()}`;
  onTestFinished(() => void (existsSync(copying) && process.kill(Number(readFileSync(pid, "utf8")))));
  expect(existsSync(copying)).toBe(true);
  child.kill("SIGTERM");
  expect((await ended)[0]).toBe(7);
  await expect.poll(() => existsSync(copying), { timeout: 30_000 }).toBe(false);
}, 120_000);

it("says what cat said of a copy whose target was removed meanwhile", async () => {
  const target = join(folder.root, "target");
  writeFileSync(join(folder.root, "cat"), `#!/bin/sh\nrm ${target}\necho "cat: gone: No such file or directory" >&2\nexit 1\n`, { mode: 0o755 });
  vi.stubEnv("PATH", `${folder.root}:${process.env["PATH"]}`);
  await expect(concatenate("/", ["gone"], target, 0o600)).rejects.toThrow("cat ended with 1: cat: gone: No such file or directory");
});

it("tells that there is no cat, and leaves nothing", async () => {
  vi.stubEnv("PATH", folder.root);
  await expect(concatenate("/", [], join(folder.root, "target"), 0o600)).rejects.toThrow("spawn cat ENOENT");
  expect(existsSync(join(folder.root, "target"))).toBe(false);
});

it("gives up a file of which the data of a part is gone, and keeps the others", async () => {
  const [first, second] = (await arrived([randomBytes(10), randomBytes(10)])) as [Session, Session];
  const session = await declared([first, second]);
  rmSync(dataPath(store.paths, second.data));
  await keptRound(store);
  await expect(head(session)).rejects.toMatchObject({ code: "not_found" });
  expect(store.lines.map(({ msg }) => msg)).toContain("gave up a file whose parts are gone");
  expect(incoming()).toEqual([first.id, `${first.id}.state`, `${second.id}.state`].sort());
});

describe("a declaration that has no room", () => {
  it.each([
    ["beside what is to stay free", async () => ({ minFreeSpace: 2 ** 52 })],
    ["beside what other files will take", async () => (await begun(store, { kind: "joined", state: "joining", total: 2 ** 52, parts: [store.makeId()] }), {})],
  ])("%s is refused, leaves nothing, and can be made again", async (_, without) => {
    const pieces = [randomBytes(1000), randomBytes(2000)];
    const parts = await arrived(pieces);
    const terms = await without();
    const others = await store.records.sessions.open();
    await expect(declare(parts, terms)).rejects.toMatchObject({ code: "disk_full", message: expect.stringContaining("A file of 3000 bytes has no room beside its parts") });
    expect([await store.records.sessions.open(), incoming()]).toEqual([others, namesOf(parts)]);
    for (const other of others.filter(({ kind }) => kind === "joined")) await store.records.sessions.remove(other.id);
    const answer = await declare(parts);
    expect(answer.status).toBe(201);
    const session = (await store.records.sessions.findJoined(parts.map(({ id }) => id)))!;
    await expect.poll(async () => [(await head(session)).headers?.["Upload-Offset"], incoming()], { timeout: 30_000 }).toEqual(["3000", []]);
    await expectFiled(session, Buffer.concat(pieces));
  });
});

describe.skipIf(cannotMount)(`a disk that is full${cannotMount ? ` (SKIPPED: ${cannotMount})` : ""}`, () => {
  const onDisk = (size: string, run: () => Promise<void>): Promise<void> =>
    withTmpfs(folder.store, size, async () => {
      await reopen();
      await run();
    });

  it("before the copy begins keeps the parts, and they are joined when there is room", async () => {
    await onDisk("2m", async () => {
      const pieces = [randomBytes(400_000), randomBytes(400_000)];
      const parts = await arrived(pieces);
      const session = await declared(parts);
      writeFileSync(join(folder.store, "filler"), randomBytes(600_000));
      await keptRound(store);
      expect(JSON.stringify(store.lines)).toContain("no room for 800000 bytes");
      expect(incoming()).toEqual(namesOf(parts));
      const { status, headers } = await head(session);
      expect([status, headers?.["Upload-Offset"], headers?.["Upload-Length"]]).toEqual([200, undefined, "800000"]);
      rmSync(join(folder.store, "filler"));
      await keptRound(store);
      await expectFiled(session, Buffer.concat(pieces));
      expect((await head(session)).headers?.["Upload-Offset"]).toBe("800000");
    });
  });

  it("in the middle of the copy is told in cat's words, and nothing of the copy is left", async () => {
    await onDisk("1m", async () => {
      const [part] = (await arrived([randomBytes(600_000)])) as [Session];
      const target = join(store.paths.incoming, "target");
      await expect(concatenate(store.paths.incoming, [part.data], target, 0o660)).rejects.toThrow(/^cat ended with 1: cat: .*No space left on device$/);
      expect(existsSync(target)).toBe(false);
    });
  });
});
