import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { lastLines, run } from "../scripts/core/run.ts";
import { NotAvailable } from "./contestant.ts";
import { benchCache, exists } from "./programs.ts";

const MANIFEST = join(import.meta.dirname, "rivals");
const FILES = ["package.json", "package-lock.json", "tus.mjs", "tus-client.mjs"];
const COPYPARTY = "copyparty==1.20.26";

/** Fills a folder of the cache once, beside its place, so that a run that is cut leaves no half of it. */
async function keep(name: string, fill: (work: string) => Promise<void>): Promise<string> {
  const kept = join(benchCache, name);
  if (await exists(kept)) return kept;
  const work = `${kept}.${process.pid}`;
  await mkdir(work, { recursive: true });
  try {
    await fill(work);
    await rename(work, kept);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return kept;
}

/**
 * Rivals written for Node, installed by `npm ci` from `bench/rivals/package-lock.json` into the cache.
 * @returns the folder, where its scripts are
 * @throws NotAvailable when npm cannot fetch them
 */
export async function installNodeRivals(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of FILES) hash.update(await readFile(join(MANIFEST, file)));
  return keep(`rivals-${hash.digest("hex").slice(0, 16)}`, async (work) => {
    for (const file of FILES) await cp(join(MANIFEST, file), join(work, file));
    const result = await run(["npm", "ci", "--omit=optional", "--no-audit", "--no-fund"], { cwd: work });
    if (!result.ok) throw new NotAvailable(`npm ci failed: ${lastLines(result, 1)}`);
  });
}

/** copyparty from PyPI, in the cache. @returns the folder for PYTHONPATH @throws NotAvailable when pip cannot fetch it */
export function installPythonRival(): Promise<string> {
  return keep(COPYPARTY.replace("==", "-"), async (work) => {
    const result = await run(["python3", "-m", "pip", "install", "--quiet", "--target", work, COPYPARTY]);
    if (!result.ok) throw new NotAvailable(`pip install ${COPYPARTY} failed: ${lastLines(result, 1)}`);
  });
}
