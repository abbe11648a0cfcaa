import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { execa, execaSync } from "execa";

const fixtures = join(import.meta.dirname, "..", "fixtures");

/** Why packages from PyPI cannot be had here, or undefined when they can. */
export function withoutPython(): string | undefined {
  const { exitCode } = execaSync("python3", ["-m", "pip", "--version"], { reject: false });
  return exitCode === 0 ? undefined : "python3 with pip is missing (apt-get install python3-pip)";
}

/**
 * The packages that the requirements file of a fixture pins, as a folder for PYTHONPATH.
 * @param fixture folder in test/fixtures with a requirements.txt
 */
export const pythonPackages = (fixture: "python" | "django"): Promise<string> => pinnedPackages(fixture, join(fixtures, fixture, "requirements.txt"));

/**
 * The packages that a requirements file pins, as a folder for PYTHONPATH. Installed once per content of the file, below
 * the user's cache folder; an installation that was cut off is never taken for a whole one.
 * @param name of the folder in the cache
 * @param requirements path of the file
 */
export async function pinnedPackages(name: string, requirements: string): Promise<string> {
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "slipway", "test-python");
  const folder = join(cache, `${name}-${hash}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const unfinished = `${folder}.${process.pid}`;
  await execa("python3", ["-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target", unfinished, "--requirement", requirements]);
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
