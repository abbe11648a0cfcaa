import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { UploadOptions } from "tus-js-client";
import { until } from "../helpers/e2e-client.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";

const skip = withoutLocal();
const MiB = 1024 * 1024;
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describe.skipIf(skip)("e2e: tus-js-client", () => {
  let site: LocalTestSite;
  let tus: typeof import("tus-js-client");

  beforeAll(async () => {
    site = await startTestSite({});
    tus = await import("tus-js-client");
  }, 120_000);
  afterAll(() => site?.stop());
  beforeEach(() => site.clear());

  /** Options that every upload here has; the client trusts the site's CA. */
  function options(more: UploadOptions): UploadOptions {
    return {
      endpoint: `${site.url}/tus/`,
      retryDelays: null,
      httpStack: new tus.DefaultHttpStack({ ca: site.ca }),
      metadata: { filename: "data é.bin", filetype: "application/x-test" },
      ...more,
    };
  }

  const run = (bytes: Buffer, more: UploadOptions): Promise<void> =>
    new Promise((resolve, reject) => new tus.Upload(bytes, options({ ...more, onSuccess: () => resolve(), onError: reject })).start());

  function expectFiled(bytes: Buffer): void {
    const { rows, incoming } = site.kept();
    expect(rows.map(({ checksums, size, state }) => ({ checksums, size, state }))).toEqual([{ checksums: { sha256: sha256(bytes) }, size: bytes.length, state: "complete" }]);
    expect(sha256(readFileSync(join(site.site.store, "files", rows[0]!.target)))).toBe(sha256(bytes));
    expect(incoming).toEqual([]);
  }

  it("uploads a file in pieces", async () => {
    const bytes = randomBytes(5 * MiB + 7);
    await run(bytes, { chunkSize: MiB });
    expectFiled(bytes);
    expect(site.kept().rows[0]?.target).toMatch(/\/data é\.bin$/);
  });

  const protocols = [
    ["tus 1.0.0", "tus-v1"],
    ["the IETF's draft 03", "ietf-draft-03"],
    ["the IETF's draft 05", "ietf-draft-05"],
  ] as const;

  it.each(protocols)("resumes 64 MiB that were cut in the middle, by %s", async (_, protocol) => {
    const bytes = randomBytes(64 * MiB);
    const how = { protocol, endpoint: `${site.url}/${protocol === "tus-v1" ? "tus" : "upload"}/` };
    let url = "";
    await new Promise<void>((resolve, reject) => {
      const upload = new tus.Upload(bytes, options({
        ...how,
        onUploadUrlAvailable: () => void (url = upload.url ?? ""),
        onProgress: (sent) => {
          if (sent < 24 * MiB) return;
          void upload.abort().then(resolve, reject);
        },
        onError: reject,
      }));
      upload.start();
    });
    const sent: number[] = [];
    await run(bytes, { ...how, uploadUrl: url, onProgress: (at) => void sent.push(at) });
    expect(Math.min(...sent.filter((at) => at > 0))).toBeGreaterThan(MiB);
    expectFiled(bytes);
  });

  it("uploads four parts in parallel, which are joined", async () => {
    const bytes = randomBytes(16 * MiB + 3);
    await run(bytes, { parallelUploads: 4 });
    await until("the parts are joined", () => site.kept().rows[0]?.state === "complete" && site.kept().incoming.length === 0);
    expectFiled(bytes);
  });
});
