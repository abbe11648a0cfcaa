/**
 * kill -9 at random moments of small completions. After every restart: each upload that was answered with 200 is
 * there, whole and recorded; nothing else is recorded; nothing else is in files/.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openSqlite } from "../../app/records/sqlite.ts";
import { bundleService } from "../../images/service-bundle.ts";
import { fieldsOf, formBody, type IncomingFile, makeServiceFolder, newRequestId, secret, sha256, writeIncoming } from "../helpers/service.ts";
import { type ServiceProcess, spawnService } from "../helpers/service-process.ts";
import { readTree } from "../helpers/tree.ts";

const rounds = 60;
const formsInRound = 6;
/** Milliseconds after an answer within which the kill comes: about as long as a completion takes. */
const window = 12;

const folder = makeServiceFolder();
const bundle = mkdtempSync(join(tmpdir(), "slipway-kill-"));

/** Pseudo-random numbers below 1 from a seed (mulberry32), so that a failing round can be had again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Form {
  readonly files: readonly IncomingFile[];
  /** Ids in the answer; `null` when none came. */
  readonly answered: readonly string[] | null;
}

/** One form of one or two files; its files are cleaned up as nginx does when the answer is an error. */
async function upload(service: ServiceProcess, random: () => number, cleans: boolean): Promise<Form> {
  const files = Array.from({ length: random() < 0.4 ? 2 : 1 }, () => writeIncoming(folder, `${random()}`.repeat(20)));
  const form = formBody(files.flatMap((file, index) => fieldsOf(file, `file ${index}.txt`)));
  try {
    const response = await fetch(`${service.url}/internal/complete`, {
      method: "POST",
      body: form.body,
      headers: { ...form.headers, "X-Slipway-Secret": secret, "X-Request-ID": newRequestId() },
    });
    const answer = (await response.json()) as { uploads: { id: string }[] };
    expect(response.status).toBe(200);
    return { files, answered: answer.uploads.map(({ id }) => id) };
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    if (cleans) for (const { path } of files) if (existsSync(path)) unlinkSync(path);
    return { files, answered: null };
  }
}

/** Settles when so many of the promises have. */
async function first(promises: readonly Promise<unknown>[], count: number): Promise<void> {
  if (count === 0) return;
  await new Promise<void>((resolve) => {
    let settled = 0;
    for (const promise of promises) {
      void promise.finally(() => {
        settled += 1;
        if (settled === count) resolve();
      });
    }
  });
}

async function killRound(random: () => number): Promise<{ readonly forms: readonly Form[]; readonly repaired: number }> {
  const service = await spawnService(folder, [join(bundle, "service.mjs")]);
  const cleans = random() < 0.5;
  const uploads = Array.from({ length: formsInRound }, () => upload(service, random, cleans));
  await first(uploads, Math.floor(random() * formsInRound));
  await delay(random() * window);
  service.child.kill("SIGKILL");
  expect(await service.ended).toBe("SIGKILL");
  const forms = await Promise.all(uploads);
  return { forms, repaired: service.lines.filter(({ msg }) => msg.includes("an interrupted completion")).length };
}

/** What the database and files/ hold, once the service has repaired them. */
async function inspect(): Promise<{ readonly ids: ReadonlySet<string>; readonly digests: readonly string[] }> {
  const service = await spawnService(folder, [join(bundle, "service.mjs")]);
  service.child.kill("SIGTERM");
  expect(await service.ended).toBe(0);
  expect(service.lines.filter(({ level }) => level === "error")).toEqual([]);
  const records = openSqlite(folder.database);
  try {
    expect(await records.unsettled()).toEqual([]);
    const { records: all } = await records.list({ limit: 100_000, after: null, text: "" });
    const stored = readTree(join(folder.store, "files"));
    expect(stored.map(({ path }) => path)).toEqual(all.map(({ target }) => target).sort());
    const digests = new Map(stored.map(({ path, text }) => [path, sha256(text)]));
    for (const { target, checksums } of all) expect(digests.get(target)).toBe(checksums.sha256);
    return { ids: new Set(all.map(({ id }) => id)), digests: [...digests.values()] };
  } finally {
    await records.close();
  }
}

function emptyDirectories(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readdirSync(path).length === 0);
}

beforeAll(() => bundleService(bundle));

afterAll(() => {
  for (const path of [folder.root, bundle]) rmSync(path, { recursive: true, force: true });
});

it(`keeps its word through ${rounds} kills`, { timeout: 300_000 }, async () => {
  const random = randomFrom(20261122);
  const forms: Form[] = [];
  let repaired = 0;
  for (let round = 0; round < rounds; round += 1) {
    const result = await killRound(random);
    forms.push(...result.forms);
    repaired += result.repaired;
    if (round % 10 === 9) await inspect();
  }
  const { ids, digests } = await inspect();
  const answered = forms.filter((form) => form.answered !== null);
  expect(answered.flatMap((form) => form.answered ?? []).filter((id) => !ids.has(id))).toEqual([]);
  for (const { files } of answered) for (const file of files) expect(digests).toContain(file.sha256);
  // All of a form or none of it.
  for (const { files } of forms) expect([0, files.length]).toContain(files.filter(({ sha256: one }) => digests.includes(one)).length);
  expect(emptyDirectories(join(folder.store, "files"))).toEqual([]);
  // The kills hit what they were meant to hit.
  expect(answered.length).toBeGreaterThan(0);
  expect(answered.length).toBeLessThan(forms.length);
  console.info(`${forms.length} forms, ${answered.length} answered, ${repaired} interrupted completions repaired`);
});
