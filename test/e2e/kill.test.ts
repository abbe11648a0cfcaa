import { readdirSync, readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { form, json, randomFile, records, send, type UploadAnswer, until } from "../helpers/e2e-client.ts";
import { sha256, wrongModes } from "../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";
import { generator } from "../helpers/e2e-random.ts";

const reason = withoutLocal();
const ROUNDS = 200;
const CLIENTS = 4;
const ABANDONED_AFTER = "1m";
/** The rounds of a failure come again with the same seed, as far as the machine lets them. */
const seed = Number(process.env["SLIPWAY_SEED"] ?? Date.now() % 1_000_000);

/** What is killed in turn: the service, one of nginx's workers, or nginx as a whole. */
const victims = ["service", "worker", "service", "nginx"] as const;

const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

/** Ids of the processes that a process has started. */
function childrenOf(parent: number): number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[1]) === parent;
    } catch {
      return false;
    }
  });
}

describe.skipIf(reason !== undefined)(`${ROUNDS} times kill -9, seed ${seed}${reason === undefined ? "" : `: skipped, ${reason}`}`, () => {
  let site: LocalTestSite;
  beforeAll(async () => {
    site = await startTestSite({ service: { abandonedAfter: ABANDONED_AFTER } });
  });
  afterAll(() => site?.stop());

  /** Uploads one small file after the other until told to stop, and notes what was answered with 200. */
  async function client(number: number, stopped: () => boolean, answered: Map<string, string>): Promise<number> {
    const random = generator(seed + number);
    let sent = 0;
    while (!stopped()) {
      const file = randomFile(`${number}-${sent++}.bin`, random.integer(1, 200_000));
      const { body, contentType } = form([file]);
      const headers = { accept: "application/json", "content-type": contentType };
      const answer = await send(site, "/upload", { method: "POST", body, headers, pause: random.integer(0, 30) }).catch(() => undefined);
      if (answer?.status === 200) answered.set(json<UploadAnswer>(answer).id, sha256(file.content));
      else await pause(random.integer(5, 25));
    }
    return sent;
  }

  async function kill(victim: (typeof victims)[number], random: ReturnType<typeof generator>): Promise<void> {
    const { nginx, service } = site.site;
    if (victim === "worker") {
      const workers = childrenOf(nginx.pid!);
      process.kill(workers[random.integer(0, workers.length - 1)]!, "SIGKILL");
      await until("nginx has another worker", () => childrenOf(nginx.pid!).length >= workers.length);
      return;
    }
    const part = victim === "service" ? service! : nginx;
    await part.kill();
    part.start();
  }

  it("keeps every upload that was answered, whole and recorded, and nothing else", async () => {
    const random = generator(seed);
    const answered = new Map<string, string>();
    let over = false;
    const clients = Array.from({ length: CLIENTS }, (_, number) => client(number + 1, () => over, answered));
    for (let round = 0; round < ROUNDS; round++) {
      await site.site.ready();
      await pause(random.integer(0, 150));
      await kill(victims[round % victims.length]!, random);
    }
    over = true;
    const sent = (await Promise.all(clients)).reduce((sum, count) => sum + count, 0);
    await site.site.service!.kill();
    site.site.service!.start();
    await site.site.ready();
    console.info(`${ROUNDS} kills: ${sent} uploads sent, ${answered.size} answered with 200`);
    expect(answered.size).toBeGreaterThan(ROUNDS);

    const { files, rows } = site.kept();
    const store = join(site.site.store, "files");
    expect(rows.filter(({ state }) => state !== "complete")).toEqual([]);
    expect([...files].sort()).toEqual(rows.map(({ target }) => target).sort());
    const found = new Map<string, string>();
    for (const { id, target, checksums } of rows) {
      found.set(id, sha256(readFileSync(join(store, target))));
      expect(found.get(id), target).toBe(checksums["sha256"]);
    }
    for (const [id, digest] of answered) expect(found.get(id), `upload ${id}, which was answered with 200`).toBe(digest);
    expect(wrongModes(store, site.owner)).toEqual([]);
    const listed = await records(site);
    expect(listed.map(({ id }) => id).sort()).toEqual(rows.map(({ id }) => id).sort());
  }, 240_000);

  it("clears away what the kills left in incoming/", async () => {
    const left = site.kept().incoming;
    console.info(`${left.length} files were left in incoming/ by the kills`);
    const before = Date.now() / 1000 - 61;
    for (const path of left) utimesSync(join(site.site.store, "incoming", path), before, before);
    await site.site.service!.kill();
    site.site.service!.start();
    await until("incoming/ is empty", () => site.kept().incoming.length === 0);
  });
});
