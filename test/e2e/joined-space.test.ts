/** Parts that are to be joined on a disk that has no room for both, with a part of it that is to stay free. */
import { randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { type Answer, json, until } from "../helpers/e2e-client.ts";
import { remove, temporaryFolder } from "../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";
import { cannotMount, withTmpfs } from "../helpers/faults.ts";
import { octets, tusRequests } from "../helpers/tus.ts";

const MiB = 1024 * 1024;
const skipped = withoutLocal() ?? cannotMount;

async function onDisk(size: string, minFreeSpace: string, run: (site: LocalTestSite, folder: string) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  try {
    await withTmpfs(folder, size, async () => {
      const site = await startTestSite({ upload: { minFreeSpace } }, folder);
      try {
        await run(site, folder);
      } finally {
        await site.stop();
      }
    });
  } finally {
    remove(folder);
  }
}

describe.skipIf(skipped)(`parts that are declared one file${skipped ? ` (SKIPPED: ${skipped})` : ""}`, () => {
  it("are kept by a 507 when the joined file would take what is to stay free, and joined when there is room", async () => {
    await onDisk("128m", "64m", async (site, folder) => {
      const { tus, expectFiled } = tusRequests(() => site);
      const pieces = [randomBytes(20 * MiB), randomBytes(20 * MiB)];
      const parts: string[] = [];
      for (const piece of pieces) {
        const answer = await tus("POST", "/tus/", { "upload-length": String(piece.length), "upload-concat": "partial", "content-type": octets }, piece);
        expect(answer.status, answer.text).toBe(201);
        parts.push(answer.headers["location"] ?? "");
      }
      const before = site.kept();
      const declared = (): Promise<Answer> => tus("POST", "/tus/", { "upload-concat": `final;${parts.join(" ")}` });
      const refused = await declared();
      const { error } = json<{ error: { code: string; message: string } }>(refused);
      expect([refused.status, error.code, refused.headers["location"], refused.headers["tus-resumable"]]).toEqual([507, "disk_full", undefined, "1.0.0"]);
      expect(error.message).toContain("can be declared final again");
      expect(site.kept()).toEqual(before);
      expect((await tus("HEAD", parts[0]!, {})).headers["upload-offset"]).toBe(String(20 * MiB));

      execFileSync("mount", ["-o", "remount,size=320m", folder]);
      const final = await declared();
      expect(final.status, final.text).toBe(201);
      await until("it is joined", async () => (await tus("HEAD", final.headers["location"] ?? "", {})).headers["upload-offset"] === String(40 * MiB), 30);
      expectFiled(Buffer.concat(pieces));
      await until("the parts are gone", () => site.kept().incoming.length === 0);
    });
  }, 180_000);
});
