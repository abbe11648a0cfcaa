/** What every client of others is tried with: a site, a file, and a line that is cut in the middle of it. */
import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { expect } from "vitest";
import { type CuttingProxy, startCuttingProxy } from "../../helpers/cutting-proxy.ts";
import { until } from "../../helpers/e2e-client.ts";
import { remove, sha256OfFile, temporaryFolder, writeRandomFile } from "../../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite } from "../../helpers/e2e-local.ts";
import type { SiteProps } from "../../../stacks/props.ts";

const MiB = 1024 * 1024;
/** Size of the file. */
export const BYTES = Number(process.env["SLIPWAY_INTEROP_MIB"] ?? 32) * MiB;
/** How long a client may take. */
export const TIMEOUT_MS = 60_000 + (BYTES / MiB) * 300;

export interface Rig {
  readonly site: LocalTestSite;
  readonly folder: string;
  /** The file. */
  readonly path: string;
  /** A line to the site that is cut once, in the middle of the file. */
  line(): Promise<{ readonly url: string; readonly proxy: CuttingProxy }>;
  /** Fails unless the file, and nothing else, is filed. Tells how many bytes went over the line, as a part of the file's. */
  expectWhole(client: string, proxy: CuttingProxy): Promise<number>;
  clear(): Promise<void>;
  stop(): Promise<void>;
}

export async function makeRig(props: SiteProps = {}): Promise<Rig> {
  const folder = temporaryFolder();
  const path = join(folder, "interop.bin");
  const [site, digest] = await Promise.all([startTestSite(props), writeRandomFile(path, BYTES)]);
  const proxies: CuttingProxy[] = [];
  return {
    site, folder, path,
    async line() {
      const proxy = await startCuttingProxy({ port: Number(new URL(site.url).port), seed: 1, cuts: 1, cutAfter: [BYTES / 2, BYTES / 2] });
      proxies.push(proxy);
      return { url: `https://localhost:${proxy.port}`, proxy };
    },
    async expectWhole(client, proxy) {
      await until("the file is filed", () => site.kept().rows.some(({ state }) => state === "complete"), 10 + BYTES / MiB / 20);
      const { rows } = site.kept();
      expect(rows.map(({ checksums, size, state, target }) => [checksums["sha256"], size, state, basename(target)])).toEqual([[digest, BYTES, "complete", "interop.bin"]]);
      expect(await sha256OfFile(join(site.site.store, "files", rows[0]!.target))).toBe(digest);
      expect(proxy.cuts()).toBe(1);
      const sent = proxy.sent() / BYTES;
      console.info(`${client}: ${BYTES / MiB} MiB whole after a cut, ${sent.toFixed(3)} of its bytes sent`);
      return sent;
    },
    async clear() {
      for (const proxy of proxies.splice(0)) await proxy.stop();
      site.clear();
      rmSync(join(folder, "state"), { force: true });
    },
    async stop() {
      for (const proxy of proxies) await proxy.stop();
      await site.stop();
      remove(folder);
    },
  };
}
