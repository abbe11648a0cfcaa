import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sendFile } from "../../client/send/form.ts";
import { siteFolder } from "../../stacks/site-folder.ts";
import { Problem } from "../core/problem.ts";
import { download, get } from "../core/site-client.ts";
import { found, made, type Step } from "../steps/step.ts";
import type { Target } from "./target.ts";

/** The upload that a site was last tried with. */
interface Probe {
  readonly id: string;
  readonly sha256: string;
  readonly size: number;
}

/** A few writes of the default buffer would be too slow to notice; this is enough to be more than one packet. */
const PROBE_SIZE = 64 * 1024;

/**
 * Tries the whole way of a file: up, recorded, and down again with the same bytes. A site that has not changed is
 * tried with the probe it already holds, so that running `up` again adds nothing to its list.
 */
export const probeStep = (target: Target, changed: boolean): Step => ({
  name: "probe",
  after: [],
  run: async () => {
    const file = join(siteFolder(target.settings.name), `probe-${target.placement}.json`);
    const old = changed ? undefined : await readProbe(file);
    if (old !== undefined && (await isThere(target, old))) return found(`the probe file is still there and whole (${old.id})`);
    const probe = await upload(target);
    if (!(await isThere(target, probe))) throw new Problem(`probe: uploaded as ${probe.id}, but the record or the download is not the same; run npm run doctor`);
    await mkdir(siteFolder(target.settings.name), { recursive: true, mode: 0o700 });
    await writeFile(file, `${JSON.stringify(probe)}\n`);
    return made(`uploaded, recorded and downloaded a file with the same SHA-256 (${probe.id})`);
  },
});

async function readProbe(file: string): Promise<Probe | undefined> {
  return readFile(file, "utf8").then((text) => JSON.parse(text) as Probe, () => undefined);
}

async function upload(target: Target): Promise<Probe> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-probe-"));
  try {
    const content = randomBytes(PROBE_SIZE);
    const name = `slipway-probe-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "")}.txt`;
    const path = join(folder, name);
    await writeFile(path, content.toString("hex").slice(0, PROBE_SIZE));
    const url = new URL(target.settings.upload.path, target.url);
    const { ca, address } = target.address;
    const result = await sendFile({ path, name, size: PROBE_SIZE }, { url, connectTo: address, description: "made by npm run up", ...(ca === undefined ? {} : { ca }) });
    if (!result.ok) throw new Problem(`probe: ${result.message}${result.status === null ? "" : ` (${result.status} ${result.code})`}; ${result.hint}`);
    const sha256 = createHash("sha256").update(await readFile(path)).digest("hex");
    return { id: result.id, sha256, size: PROBE_SIZE };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether the site lists the upload as complete, with the right digest, and gives back its bytes. */
async function isThere(target: Target, probe: Probe): Promise<boolean> {
  const { status, body } = await get(target.address, `/api/uploads/${probe.id}`);
  if (status !== 200) return false;
  const record = JSON.parse(body) as { size?: number; state?: string; checksums?: Readonly<Record<string, string>> };
  const recorded = record.checksums?.["sha256"];
  if (record.size !== probe.size || record.state !== "complete" || (recorded !== undefined && recorded !== probe.sha256)) return false;
  const file = await download(target.address, `/files/${probe.id}`);
  return file.status === 200 && file.size === probe.size && file.sha256 === probe.sha256;
}
