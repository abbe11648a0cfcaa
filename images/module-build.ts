import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const moduleFolder = fileURLToPath(new URL("../module/", import.meta.url));

/** Name of the file that `load_module` takes. */
export const moduleFile = "ngx_http_upload_module.so";

/** How to build the module. */
export interface ModuleBuildOptions {
  /**
   * Builds with AddressSanitizer and UndefinedBehaviorSanitizer.
   * @default true when the environment has SLIPWAY_SANITIZE=1
   */
  readonly sanitize?: boolean;
}

/** Every file that goes into the module, relative to `module/`, sorted. */
async function sources(): Promise<string[]> {
  const files = await readdir(join(moduleFolder, "src"));
  return ["build.sh", "config", ...files.map((file) => `src/${file}`)].sort();
}

/** nginx's version and configure arguments: a module fits only the nginx it was built for. */
async function nginxIdentity(): Promise<string> {
  try {
    return (await run("nginx", ["-V"])).stderr;
  } catch (error) {
    throw new Error(
      "module: nginx -V failed; install nginx, nginx-dev, gcc and make (apt-get install nginx nginx-dev gcc make)",
      { cause: error },
    );
  }
}

/** Fingerprint of all that decides how the module comes out, 32 hex digits. */
async function fingerprint(sanitize: boolean): Promise<string> {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([await nginxIdentity(), sanitize]));
  for (const file of await sources()) {
    hash.update(JSON.stringify(file)).update(await readFile(join(moduleFolder, file)));
  }
  return hash.digest("hex").slice(0, 32);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Builds the upload module for the nginx of this host, or finds it built: builds are kept in
 * `${XDG_CACHE_HOME:-~/.cache}/slipway/module/<fingerprint>/`. Safe to run several times at once.
 * @returns absolute path of the .so
 * @throws when nginx, nginx-dev or a compiler is missing, or the build fails; the message has the compiler's output
 */
export async function buildModule(options: ModuleBuildOptions = {}): Promise<string> {
  const sanitize = options.sanitize ?? process.env["SLIPWAY_SANITIZE"] === "1";
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "slipway", "module");
  const folder = join(cache, await fingerprint(sanitize));
  const built = join(folder, moduleFile);
  if (await exists(built)) return built;

  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, "build-"));
  try {
    await run(join(moduleFolder, "build.sh"), [work], {
      env: { ...process.env, SLIPWAY_SANITIZE: sanitize ? "1" : "" },
      maxBuffer: 64 * 1024 * 1024,
    });
    await mkdir(folder, { recursive: true });
    await rename(join(work, moduleFile), built);
  } catch (error) {
    const output = (error as { stderr?: string }).stderr ?? "";
    throw new Error(`module: ${join("module", "build.sh")} failed\n${output}`, { cause: error });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return built;
}
