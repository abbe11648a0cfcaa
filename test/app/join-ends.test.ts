/** Joins that end before they are done: the service stops, the client gives up; and joins that wait for their turn or for room. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Session } from "../../app/records/sessions.ts";
import { dataPath } from "../../app/sessions/data.ts";
import type { DialectAnswer, Plan } from "../../app/sessions/dialect.ts";
import { addressOf } from "../../app/sessions/tus/answers.ts";
import { decideDelete } from "../../app/sessions/tus/delete.ts";
import { decideFinal } from "../../app/sessions/tus/final.ts";
import { decideHead } from "../../app/sessions/tus/head.ts";
import { keepSessions } from "../../app/sessions/upkeep.ts";
import type { UploadTerms } from "../../app/upload-terms.ts";
import { cannotMount, withTmpfs } from "../helpers/faults.ts";
import { arrivedPart, begun, keptRound, sessionRequest } from "../helpers/sessions.ts";
import { makeServiceFolder, type ServiceFolder, sha256, writeIncoming } from "../helpers/service.ts";
import { spawnService } from "../helpers/service-process.ts";
import { openStore, receivedRecord, type TestStore } from "../helpers/store.ts";
import { readTree } from "../helpers/tree.ts";

const root = join(import.meta.dirname, "..", "..");
const argv = ["--import", "tsx", join(root, "app", "main.ts")];
let folder: ServiceFolder;
let store: TestStore;

async function open(): Promise<void> {
  mkdirSync(join(folder.store, "incoming", "sessions"), { recursive: true });
  store = await openStore(folder);
}

async function close(): Promise<void> {
  await store.joins.stop();
  await store.records.close();
}

beforeEach(async () => {
  folder = makeServiceFolder();
  mkdirSync(join(folder.root, "running"));
  await open();
});
afterEach(async () => {
  await close();
  vi.unstubAllEnvs();
  // Where an end was missed, nothing else ends it.
  for (const pid of copying()) process.kill(pid, "SIGKILL");
  rmSync(folder.root, { recursive: true, force: true });
});

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);
const copying = (): number[] => readdirSync(join(folder.root, "running")).map(Number).filter(isAlive);

/** Lets cat be as slow as on a disk that crawls: it has copied, and does not end before it is let go. */
function slowCat(): { readonly letGo: () => void } {
  const [bin, go] = [join(folder.root, "bin"), join(folder.root, "go")];
  mkdirSync(bin);
  writeFileSync(join(bin, "cat"), `#!/bin/sh\n/bin/cat "$@" || exit 1\n: > ${folder.root}/running/$$\nwhile [ ! -e ${go} ]; do sleep 0.05; done\n`, { mode: 0o755 });
  vi.stubEnv("PATH", `${bin}:${process.env["PATH"]}`);
  return { letGo: () => writeFileSync(go, "") };
}

const give = (plan: Plan): Promise<DialectAnswer> => {
  if (plan.kind === "write") throw new Error("a body is not asked for");
  return plan.give();
};
const declare = async (parts: readonly Session[], terms: Partial<UploadTerms> = {}): Promise<DialectAnswer> =>
  give(await decideFinal(store, sessionRequest("POST", "/tus/", terms), parts.map(({ id }) => addressOf(id))));
const joinedOf = async (parts: readonly Session[]): Promise<Session> => (await store.records.sessions.findJoined(parts.map(({ id }) => id)))!;
const head = async ({ id }: Session): Promise<DialectAnswer> => give(await decideHead(store, sessionRequest("HEAD", addressOf(id))));
const cancel = async ({ id }: Session): Promise<DialectAnswer> => give(await decideDelete(store, sessionRequest("DELETE", addressOf(id))));

const incoming = (): string[] => readTree(join(folder.store, "incoming")).map(({ path }) => path.split("/").at(-1)!).sort();
const namesOf = (parts: readonly Session[]): string[] => parts.flatMap(({ id }) => [id, `${id}.state`]).sort();
const messages = (): string => JSON.stringify(store.lines);

async function arrived(pieces: readonly Buffer[]): Promise<Session[]> {
  const parts: Session[] = [];
  for (const bytes of pieces) parts.push(await arrivedPart(store, bytes));
  return parts;
}

async function expectFiled(session: Session, bytes: Buffer): Promise<void> {
  const [record] = await store.records.ofRequest(session.id);
  expect([record?.state, record?.checksums]).toEqual(["complete", { sha256: sha256(bytes) }]);
  expect(readFileSync(join(folder.store, "files", record!.target)).equals(bytes)).toBe(true);
}

it("a service that is stopped ends the join of its round at once, and the next start joins anew", async () => {
  const pieces = [randomBytes(100_000), randomBytes(50_000)];
  const parts = await arrived(pieces);
  const session = await begun(store, { kind: "joined", state: "joining", total: 150_000, parts: parts.map(({ id }) => id) });
  await close();
  slowCat();
  const service = await spawnService(folder, argv, root);
  await expect.poll(copying, { timeout: 30_000 }).toHaveLength(1);
  service.child.kill("SIGTERM");
  const late = new Promise<string>((resolve) => setTimeout(resolve, 9000, "late"));
  const ended = await Promise.race([service.ended, late]);
  if (ended === "late") service.child.kill("SIGKILL");
  expect([ended, service.lines.at(-1)?.msg]).toEqual([0, "stopped"]);
  expect([copying(), incoming()]).toEqual([[], namesOf(parts)]);
  expect(JSON.stringify(service.lines)).not.toContain('"error"');

  vi.unstubAllEnvs();
  const next = await spawnService(folder, argv, root);
  await expect.poll(incoming, { timeout: 30_000 }).toEqual([]);
  next.child.kill("SIGTERM");
  expect(await next.ended).toBe(0);
  await open();
  await expectFiled(session, Buffer.concat(pieces));
}, 120_000);

describe("a file that is given up while it is joined", () => {
  it("is gone with the answer, and its parts can be declared final again", async () => {
    const { letGo } = slowCat();
    const pieces = [randomBytes(100_000), randomBytes(50_000)];
    const parts = await arrived(pieces);
    await declare(parts);
    const session = await joinedOf(parts);
    await expect.poll(copying, { timeout: 30_000 }).toHaveLength(1);
    expect(incoming()).toContain(session.id);
    expect((await cancel(session)).status).toBe(204);
    expect([copying(), incoming()]).toEqual([[], namesOf(parts)]);
    await expect(head(session)).rejects.toMatchObject({ code: "not_found" });
    letGo();
    await declare(parts);
    const again = await joinedOf(parts);
    await store.joins.idle();
    await expectFiled(again, Buffer.concat(pieces));
    expect([incoming(), messages().includes('"level":"error"')]).toEqual([[], false]);
  });

  it("is not begun when its turn has not come, and takes the parts along that were given up before", async () => {
    const { letGo } = slowCat();
    const files = [];
    for (let i = 0; i < 3; i += 1) {
      const parts = await arrived([randomBytes(1000), randomBytes(1000)]);
      await declare(parts);
      files.push({ parts, session: await joinedOf(parts) });
    }
    const waiting = files[2]!;
    expect((await cancel(waiting.parts[0]!)).status).toBe(204);
    expect(incoming()).toContain(waiting.parts[0]!.id);
    await expect(head(waiting.parts[0]!)).rejects.toMatchObject({ code: "upload_expired" });
    await cancel(waiting.session);
    expect(await store.records.sessions.find(waiting.session.id)).toBeNull();
    letGo();
    await keptRound(store);
    expect(incoming()).toEqual(namesOf(waiting.parts.slice(1)));
    expect(messages()).not.toContain('"level":"error"');
  });
});

describe("files that are declared at once", () => {
  it("are copied two at a time in their order, and the rest say that they are not there yet", async () => {
    const { letGo } = slowCat();
    const files: { bytes: Buffer; session: Session }[] = [];
    for (let i = 0; i < 8; i += 1) {
      const bytes = randomBytes(10_000);
      const parts = await arrived([bytes]);
      expect((await declare(parts)).status).toBe(201);
      files.push({ bytes, session: await joinedOf(parts) });
    }
    await expect.poll(copying, { timeout: 30_000 }).toHaveLength(2);
    // Another round begins none twice, and waits for none.
    await keepSessions(store);
    expect(files.map(({ session }) => existsSync(dataPath(store.paths, session.data)))).toEqual([true, true, ...Array<boolean>(6).fill(false)]);
    expect(copying()).toHaveLength(2);
    for (const { session } of files) {
      const { status, headers } = await head(session);
      expect([status, headers?.["Upload-Offset"], headers?.["Upload-Length"]]).toEqual([200, undefined, "10000"]);
    }
    letGo();
    await store.joins.idle();
    for (const { bytes, session } of files) {
      await expectFiled(session, bytes);
      expect((await head(session)).headers?.["Upload-Offset"]).toBe("10000");
    }
    expect(incoming()).toEqual([]);
  });

  it("cannot take a part that goes into another file", async () => {
    slowCat();
    const [first, second, third] = (await arrived([randomBytes(10), randomBytes(10), randomBytes(10)])) as [Session, Session, Session];
    await declare([first, second]);
    await expect(declare([first, third])).rejects.toMatchObject({ code: "bad_header", message: expect.stringContaining("is being joined to another file") });
  });

  it("claim no room any more when they have a record", async () => {
    const file = writeIncoming(folder, "filed");
    const other = await begun(store, { kind: "joined", state: "joining", total: 2 ** 52, parts: [store.makeId()] });
    await store.records.insertReceived([receivedRecord(folder, file, { requestId: other.id })]);
    expect((await declare(await arrived([randomBytes(10)]))).status).toBe(201);
  });
});

describe.skipIf(cannotMount)(`a disk with little room${cannotMount ? ` (SKIPPED: ${cannotMount})` : ""}`, () => {
  const onDisk = (size: string, run: () => Promise<void>): Promise<void> =>
    withTmpfs(folder.store, size, async () => {
      await close();
      await open();
      try {
        await run();
      } finally {
        await store.joins.stop();
      }
    });

  it("is promised once to ten files that are declared at the same time", async () => {
    await onDisk("10m", async () => {
      const { letGo } = slowCat();
      const parts = await arrived(Array.from({ length: 10 }, () => randomBytes(400_000)));
      // Free are 6 MB, of which 4 are to stay: room for four or five of 0.4 MB.
      const answers = await Promise.allSettled(parts.map((part) => declare([part], { minFreeSpace: 4 * 1024 * 1024 })));
      const taken = answers.filter(({ status }) => status === "fulfilled").length;
      expect(taken).toBeGreaterThan(3);
      expect(taken).toBeLessThan(6);
      expect(answers.filter(({ status }) => status === "rejected").map((answer) => (answer as PromiseRejectedResult).reason.code)).toEqual(Array(10 - taken).fill("disk_full"));
      letGo();
      await store.joins.idle();
      expect([incoming().length, messages().includes('"level":"error"')]).toEqual([2 * (10 - taken), false]);
    });
  });

  it("is not copied to twice where only one of two files fits; the other follows", async () => {
    await onDisk("3m", async () => {
      const pieces = [randomBytes(600_000), randomBytes(600_000)];
      const parts = await arrived(pieces);
      const sessions: Session[] = [];
      for (const part of parts) sessions.push(await begun(store, { kind: "joined", state: "joining", total: 600_000, parts: [part.id] }));
      writeFileSync(join(folder.store, "filler"), randomBytes(1_000_000));
      await keptRound(store);
      expect(messages()).toContain("no room for 600000 bytes");
      await expectFiled(sessions[0]!, pieces[0]!);
      await keptRound(store);
      await expectFiled(sessions[1]!, pieces[1]!);
      expect(messages()).not.toContain("No space left");
    });
  });
});
