/** DELETE, expiry, the end of an upload and rounds of the upkeep, while another of them is under way. */
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Session } from "../../app/records/sessions.ts";
import { dataPath } from "../../app/sessions/data.ts";
import type { DialectAnswer, Plan, SessionRequest } from "../../app/sessions/dialect.ts";
import { digestFile } from "../../app/sessions/digest-file.ts";
import { finishEmpty } from "../../app/sessions/finish.ts";
import { lockOf } from "../../app/sessions/remove.ts";
import { addressOf } from "../../app/sessions/tus/answers.ts";
import { decideDelete } from "../../app/sessions/tus/delete.ts";
import { decideFinal } from "../../app/sessions/tus/final.ts";
import { decidePost } from "../../app/sessions/tus/post.ts";
import { keepSessions } from "../../app/sessions/upkeep.ts";
import { arrivedPart, begun, keptRound, sessionRequest } from "../helpers/sessions.ts";
import { makeServiceFolder, type ServiceFolder } from "../helpers/service.ts";
import { stateFile } from "../helpers/state-file.ts";
import { openStore, type TestStore } from "../helpers/store.ts";
import { generator } from "../helpers/e2e-random.ts";
import { readTree } from "../helpers/tree.ts";

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
  await open();
});
afterEach(async () => {
  await close();
  rmSync(folder.root, { recursive: true, force: true });
});

const past = new Date(Date.now() - 1000).toISOString();
const later = new Date(Date.now() + 60_000).toISOString();
const incoming = (): string[] => readTree(join(folder.store, "incoming")).map(({ path }) => path.split("/").at(-1)!).sort();
const find = (session: Session): Promise<Session | null> => store.records.sessions.find(session.id);
const give = async (plan: Plan): Promise<DialectAnswer> => {
  if (plan.kind === "write") throw new Error("a body is not asked for");
  return plan.give();
};
const planOfFinal = (parts: readonly Session[]): Promise<Plan> => decideFinal(store, sessionRequest("POST", "/tus/"), parts.map(({ id }) => addressOf(id)));
const cancel = async ({ id }: Session): Promise<DialectAnswer> => give(await decideDelete(store, sessionRequest("DELETE", addressOf(id))));

it("an upload that hears of its client while a round comes to remove it stays", async () => {
  const session = await begun(store, { expiresAt: past }, "bytes");
  let round: Promise<void> | undefined;
  await store.locks.run([lockOf(session)], async () => {
    round = keepSessions(store);
    await sleep(20);
    await store.records.sessions.update(session.id, { expiresAt: later });
  });
  await round;
  expect([await find(session), incoming()]).toEqual([{ ...session, expiresAt: later }, [session.id]]);
});

it("a part that goes between the two questions about a final is missed before the final is taken", async () => {
  const [first, second] = [await arrivedPart(store, randomBytes(10)), await arrivedPart(store, randomBytes(10))];
  const plan = await planOfFinal([first, second]);
  await cancel(first);
  await expect(give(plan)).rejects.toMatchObject({ code: "not_found" });
  expect((await store.records.sessions.open()).map(({ id }) => id)).toEqual([second.id]);
});

it("a part whose DELETE comes with its final is removed or joined, never both", async () => {
  for (let round = 0; round < 20; round += 1) {
    const parts = [await arrivedPart(store, randomBytes(10)), await arrivedPart(store, randomBytes(10))];
    const plan = await planOfFinal(parts);
    const both = [(): Promise<unknown> => give(plan), (): Promise<unknown> => cancel(parts[1]!)];
    await Promise.allSettled((round % 2 === 0 ? both : both.reverse()).map((one) => one()));
    await store.joins.idle();
    const joined = await store.records.sessions.findJoined(parts.map(({ id }) => id));
    if (joined !== null) expect(joined.state).toBe("complete");
    for (const part of parts) if ((await find(part)) !== null) await cancel(part);
  }
  expect([incoming(), store.lines.filter(({ level }) => level === "error")]).toEqual([[], []]);
});

it("parts that could not be removed after the join are removed by a later round", async () => {
  const part = await arrivedPart(store, randomBytes(10));
  const joined = await begun(store, { kind: "joined", state: "joining", total: 10, parts: [part.id] });
  const state = `${dataPath(store.paths, part.data)}.state`;
  rmSync(state);
  // Nothing that unlink(2) takes away.
  mkdirSync(state);
  await keptRound(store);
  expect((await store.records.ofRequest(joined.id))[0]?.state).toBe("complete");
  rmSync(state, { recursive: true });
  await keptRound(store);
  expect([await find(part), (await find(joined))?.state, incoming()]).toEqual([null, "complete", []]);
});

function postOfPart(fileKey: string, offset: number, total: number): Promise<Plan> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const headers: Record<string, string> = {
    "Upload-Concat": "partial",
    "Upload-Length": "10",
    "Upload-Metadata": `file ${base64(fileKey)},offset ${base64(String(offset))},total ${base64(String(total))}`,
  };
  const request: SessionRequest = { ...sessionRequest("POST", "/tus/"), header: (name) => headers[name] ?? "" };
  return decidePost(store, request);
}

async function partWithPlace(fileKey: string, offset: number): Promise<Session> {
  const { headers } = await give(await postOfPart(fileKey, offset, 20));
  return (await store.records.sessions.find(headers?.["Location"]?.split("/").at(-1) ?? ""))!;
}

it("parts of a file that are all cancelled at once take the file with them", async () => {
  const parts = [await partWithPlace("a-file-of-the-client", 0), await partWithPlace("a-file-of-the-client", 10)];
  writeFileSync(dataPath(store.paths, parts[0]!.data), "bytes");
  await Promise.all(parts.map(cancel));
  expect([await store.records.sessions.open(), incoming()]).toEqual([[], []]);
});

it("a part that is begun as the last one of its file is cancelled has a file", async () => {
  for (let round = 0; round < 10; round += 1) {
    const key = `a-file-of-the-client-${round}`;
    const last = await partWithPlace(key, 0);
    const [, part] = await Promise.all([cancel(last), partWithPlace(key, 10)]);
    expect((await store.records.sessions.findFile(key))?.data).toBe(part.data);
  }
});

it("a part that is cancelled twice leaves a newer file of the same name alone", async () => {
  const old = await partWithPlace("a-file-of-the-client", 0);
  const plan = await decideDelete(store, sessionRequest("DELETE", addressOf(old.id)));
  await cancel(old);
  const part = await partWithPlace("a-file-of-the-client", 0);
  await give(plan);
  expect((await store.records.sessions.findFile("a-file-of-the-client"))?.data).toBe(part.data);
});

it("a file lives as long as the youngest of its parts", async () => {
  const first = await partWithPlace("a-file-of-the-client", 0);
  const file = (await store.records.sessions.findFile("a-file-of-the-client"))!;
  for (const { id } of [first, file]) await store.records.sessions.update(id, { expiresAt: past });
  const second = await partWithPlace("a-file-of-the-client", 10);
  // Each has a time of its own, begun a moment apart.
  expect(Date.parse((await find(file))!.expiresAt)).toBeGreaterThan(Date.parse(second.expiresAt) - 1000);
});

it("an empty file that is made after its upload was cancelled does not stay", async () => {
  const session = await begun(store, { total: 0 });
  await cancel(session);
  await expect(finishEmpty(store, session, ["sha256"])).rejects.toMatchObject({ code: "not_found" });
  expect(incoming()).toEqual([]);
});

it("a file that is removed is not read to its end", async () => {
  const path = join(folder.root, "large");
  writeFileSync(path, "");
  truncateSync(path, 2 ** 30);
  const reading = digestFile(path, ["sha256"]);
  setTimeout(() => unlinkSync(path), 20);
  await expect(reading).rejects.toMatchObject({ code: "not_found" });
});

it("a round that reads a file whose end was interrupted ends when the service stops", async () => {
  const session = await begun(store, { total: 2 ** 30 }, "");
  truncateSync(dataPath(store.paths, session.data), 2 ** 30);
  writeFileSync(`${dataPath(store.paths, session.data)}.state`, stateFile([{ sequence: 1, total: 2 ** 30, flags: 3, ranges: [[0, 2 ** 30]] }]));
  await keepSessions(store, AbortSignal.timeout(50));
  expect([(await find(session))?.state, store.lines.filter(({ level }) => level === "error")]).toEqual(["receiving", []]);
});

const seed = Number(process.env["SLIPWAY_SEED"] ?? 1);

it(`whatever comes between, each final is filed whole or gone, and at the end nothing is left, seed ${seed}`, async () => {
  const random = generator(seed);
  const declared: { readonly parts: readonly Session[]; readonly bytes: Buffer; isCancelled: boolean }[] = [];
  const joinedOf = ({ parts }: (typeof declared)[number]): Promise<Session | null> => store.records.sessions.findJoined(parts.map(({ id }) => id));
  for (let round = 0; round < 40; round += 1) {
    const work: Promise<unknown>[] = [];
    // Any of it may be refused, and before the round is over.
    const start = (one: Promise<unknown>): void => void work.push(one.catch(() => undefined));
    for (let step = 0; step < 4; step += 1) {
      const action = random.integer(0, 5);
      const one = declared[random.integer(0, Math.max(0, declared.length - 1))];
      if (action <= 2 || one === undefined) {
        const pieces = [randomBytes(random.integer(0, 3) * 20_000), randomBytes(random.integer(1, 40_000))];
        const parts = [await arrivedPart(store, pieces[0]!), await arrivedPart(store, pieces[1]!)];
        declared.push({ parts, bytes: Buffer.concat(pieces), isCancelled: false });
        start(planOfFinal(parts).then(give));
      } else if (action === 3) {
        const session = await joinedOf(one);
        if (session !== null) start(cancel(session));
        one.isCancelled ||= session !== null;
      } else if (action === 4) start(cancel(one.parts[random.integer(0, 1)]!));
      else start(keepSessions(store));
      await sleep(random.integer(0, 4));
    }
    await Promise.all(work);
    if (random.integer(0, 4) === 0) {
      await close();
      await open();
    }
  }
  await keptRound(store);
  const files = new Map(readTree(join(folder.store, "files")).map(({ path }) => [path, true]));
  for (const one of declared) {
    const session = await joinedOf(one);
    if (session === null) continue;
    const [record] = await store.records.ofRequest(session.id);
    expect([session.state, record?.state, record?.size]).toEqual(["complete", "complete", one.bytes.length]);
    expect(files.has(record!.target)).toBe(true);
  }
  expect(declared.filter(({ isCancelled }) => !isCancelled).length).toBeGreaterThan(20);
  // Parts of finals that were given up are the client's, until their time is over.
  for (const { id } of await store.records.sessions.open()) await store.records.sessions.update(id, { expiresAt: past, expireAfter: 0 });
  await keptRound(store);
  expect([await store.records.sessions.open(), incoming()]).toEqual([[], []]);
  expect(store.lines.filter(({ level }) => level === "error")).toEqual([]);
}, 120_000);
