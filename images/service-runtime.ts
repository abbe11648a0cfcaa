import { createHash, randomUUID } from "node:crypto";
import { access, cp, mkdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

const MANIFEST = join(import.meta.dirname, "service");

/**
 * The Node binary that the service's image runs, for the architecture of this machine: fetched once
 * by `npm ci` from `images/service/package-lock.json`, then kept in
 * `$XDG_CACHE_HOME/slipway/service-runtime/<hash of the lock file>`. Nothing is fetched from inside a
 * container, and npm checks the lock file's digest.
 *
 * @returns absolute path of the binary
 * @throws Error when npm cannot fetch it, or there is none for this architecture
 */
export async function fetchServiceRuntime(): Promise<string> {
  const lock = await readFile(join(MANIFEST, "package-lock.json"));
  const key = createHash("sha256").update(lock).digest("hex").slice(0, 16);
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "slipway", "service-runtime");
  const binary = join("node_modules", `node-linux-${process.arch}`, "bin", "node");
  const kept = join(cache, key);
  if (!(await exists(join(kept, binary)))) await install(cache, kept, binary);
  return join(kept, binary);
}

/** Installs beside the place and renames, so that neither a cut nor a second install leaves half of one. */
async function install(cache: string, kept: string, binary: string): Promise<void> {
  const work = join(cache, `.${randomUUID()}`);
  await mkdir(work, { recursive: true });
  try {
    for (const file of ["package.json", "package-lock.json"]) await cp(join(MANIFEST, file), join(work, file));
    await execa("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: work, stdin: "ignore" });
    if (!(await exists(join(work, binary)))) {
      throw new Error(`service image: no Node for this machine's architecture, got "${process.arch}"; x64 and arm64 are provided`);
    }
    await rename(work, kept).catch(async (error: unknown) => {
      if (!(await exists(join(kept, binary)))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
