import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { lastLines, run } from "../scripts/core/run.ts";
import { NotAvailable } from "./contestant.ts";
import { benchCache, exists } from "./programs.ts";

const MANIFEST = join(import.meta.dirname, "rivals");
const FILES = ["package.json", "package-lock.json", "tus.mjs", "tus-client.mjs"];
const GO_FILES = ["tusd/go.mod", "tusd/go.sum", "tusd/main.go"];
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

async function printOf(files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) hash.update(await readFile(join(MANIFEST, file)));
  return hash.digest("hex").slice(0, 16);
}

/**
 * Rivals written for Node, installed by `npm ci` from `bench/rivals/package-lock.json` into the cache.
 * @returns the folder, where its scripts are
 * @throws NotAvailable when npm cannot fetch them
 */
export async function installNodeRivals(): Promise<string> {
  return keep(`rivals-${await printOf(FILES)}`, async (work) => {
    for (const file of FILES) await cp(join(MANIFEST, file), join(work, file));
    const result = await run(["npm", "ci", "--omit=optional", "--no-audit", "--no-fund"], { cwd: work });
    if (!result.ok) throw new NotAvailable(`npm ci failed: ${lastLines(result, 1)}`);
  });
}

/**
 * tusd, built from `bench/rivals/tusd` with the modules that its go.sum names, in the cache.
 * @returns the program
 * @throws NotAvailable when there is no Go, or its modules cannot be fetched
 */
export async function buildTusd(): Promise<string> {
  const folder = await keep(`tusd-${await printOf(GO_FILES)}`, async (work) => {
    const result = await run(["go", "build", "-o", join(work, "tusd"), "."], { cwd: join(MANIFEST, "tusd") });
    if (!result.ok) throw new NotAvailable(`go build of tusd failed: ${lastLines(result, 1)}`);
  });
  return join(folder, "tusd");
}

/** copyparty from PyPI, in the cache. @returns the folder for PYTHONPATH @throws NotAvailable when pip cannot fetch it */
export function installPythonRival(): Promise<string> {
  return keep(COPYPARTY.replace("==", "-"), async (work) => {
    const result = await run(["python3", "-m", "pip", "install", "--quiet", "--target", work, COPYPARTY]);
    if (!result.ok) throw new NotAvailable(`pip install ${COPYPARTY} failed: ${lastLines(result, 1)}`);
  });
}
