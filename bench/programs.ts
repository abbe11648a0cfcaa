import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheRoot } from "../scripts/core/paths.ts";
import { Problem } from "../scripts/core/problem.ts";
import { lastLines, run } from "../scripts/core/run.ts";

/** What the benchmark keeps between runs. */
export const benchCache = join(cacheRoot(), "bench");

/** The benchmark's own programs, each one file `bench/<name>.c`. */
export type Program = "files" | "flood" | "hold" | "link" | "probe" | "sink";

// OpenSSL's low-level digests are deprecated and still the ones without any cost beside the digest.
const FLAGS = ["-O2", "-Wall", "-Wextra", "-Werror", "-Wno-deprecated-declarations"];
const LIBRARIES = ["-lcrypto", "-lz"];

/** Whether a file or folder is there. */
export const exists = (path: string): Promise<boolean> => access(path).then(() => true, () => false);

/**
 * Compiles a program, or finds it compiled.
 * @returns its absolute path
 * @throws Problem with the compiler's output
 */
export async function compile(program: Program): Promise<string> {
  const source = join(import.meta.dirname, `${program}.c`);
  const print = createHash("sha256").update(JSON.stringify(FLAGS)).update(await readFile(source)).digest("hex").slice(0, 16);
  const built = join(benchCache, "programs", `${program}-${print}`);
  if (await exists(built)) return built;

  await mkdir(join(benchCache, "programs"), { recursive: true });
  const work = await mkdtemp(join(benchCache, "programs", ".build-"));
  try {
    const result = await run(["gcc", ...FLAGS, "-o", join(work, program), source, ...LIBRARIES]);
    if (!result.ok) {
      throw new Problem(`bench: cannot compile bench/${program}.c; it needs gcc, libssl-dev and zlib1g-dev (apt-get install gcc libssl-dev zlib1g-dev)\n${lastLines(result)}`);
    }
    await rename(join(work, program), built);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return built;
}
