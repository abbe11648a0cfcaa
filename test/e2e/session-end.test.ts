/** The last bytes of an upload: what came before them, days ago perhaps, costs no time any more. */
import { chownSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { processTree } from "../../bench/proc.ts";
import { resumingDialects } from "../helpers/dialects.ts";
import { json, type RecordView, send } from "../helpers/e2e-client.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";
import { type AlmostWhole, almostWhole, almostWholeState, MISSING } from "../helpers/pieces.ts";
import { bytesRead } from "../helpers/proc.ts";
import { leastOf, timeOf } from "../helpers/steady.ts";

/** Milliseconds that the end of an upload may take longer for what came before. */
const MOST_LONGER = 2000;
/** Bytes that may be read for it: the last ones come through TLS, with what is small beside them. */
const MOST_READ = 2 * MISSING;

describe.skipIf(withoutLocal() !== undefined)("e2e: the end of an upload", () => {
  let site: LocalTestSite;
  beforeAll(async () => {
    site = await startTestSite({});
  }, 120_000);
  afterAll(() => site?.stop());

  const tus = resumingDialects[0]!;

  /** Begins an upload of which all but the last bytes are there. @returns its address */
  async function begun(file: AlmostWhole): Promise<string> {
    const wording = tus.create(file.size);
    const { status, headers } = await send(site, wording.path, wording);
    expect(status).toBe(201);
    const address = new URL(headers["location"] ?? "", site.url).pathname;
    const path = join(site.site.store, "incoming/sessions", basename(address));
    writeFileSync(path, "");
    truncateSync(path, file.size - MISSING);
    writeFileSync(`${path}.state`, almostWholeState(path, file));
    const [uid, gid] = site.owner.split(":").map(Number) as [number, number];
    for (const one of [path, `${path}.state`]) chownSync(one, uid, gid);
    return address;
  }

  /** Sends the last bytes of an upload. @returns milliseconds */
  async function end(file: AlmostWhole): Promise<number> {
    site.clear();
    const address = await begun(file);
    const { nginx, service } = site.site.pids;
    const pids = [nginx, service].flatMap((pid) => processTree(pid!));
    const before = bytesRead(pids);
    const wording = tus.append(address, file.size - MISSING, MISSING, file.size);
    let record = "";
    const took = await timeOf(async () => {
      const { status, headers } = await send(site, wording.path, { ...wording, body: Buffer.alloc(MISSING) });
      expect([status, headers["upload-offset"]]).toEqual([204, String(file.size)]);
      record = headers["content-location"] ?? "";
    });
    expect(bytesRead(pids) - before).toBeLessThan(MOST_READ);
    expect(json<RecordView>(await send(site, record))).toMatchObject({ size: file.size, checksums: { sha256: file.sha256 }, state: "complete" });
    const { incoming, files, rows } = site.kept();
    expect([incoming, files]).toEqual([[], rows.map(({ target }) => target)]);
    expect(rows).toMatchObject([{ size: file.size, checksums: { sha256: file.sha256 }, state: "complete" }]);
    return took;
  }

  it("files 64 GiB as soon as 64 MiB, and reads nothing of them again", async () => {
    const [small, large] = almostWhole as [AlmostWhole, AlmostWhole];
    const longer = async (): Promise<number> => {
      const least = await end(small);
      const most = await end(large);
      console.info(`the last ${MISSING} bytes: of ${small.size} ${least.toFixed(0)} ms, of ${large.size} ${most.toFixed(0)} ms`);
      return most - least;
    };
    expect(await leastOf(MOST_LONGER, longer)).toBeLessThan(MOST_LONGER);
  });
});
