/** Other nginx than the host's: Debian 13's and the newest that Debian has, each in an image of its own. */
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { buildBaseImage } from "../../images/base/build.ts";
import { moduleFile } from "../../images/module-build.ts";
import { buildContext } from "../../stacks/build/context.ts";
import { filesBelow } from "../../stacks/build/tree.ts";
import { docker, resources } from "./e2e-docker.ts";
import type { NginxProgram } from "./nginx.ts";

const BASE = "debian:trixie-slim";
const PACKAGES = ["curl", "gcc", "libc6-dev", "libpcre2-dev", "libssl-dev", "make", "zlib1g-dev"];

const moduleFolder = join(import.meta.dirname, "../../module");
const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "slipway", "module-strict");

/**
 * Stands in for the compiler: the module's own files are compiled with every warning an error, and noted.
 * (nginx itself turns unused parameters off, which the prototypes of its handlers bring.)
 */
const STRICT_COMPILER = `#!/bin/sh
for word; do
  case $word in */src/upload_*.c|*/src/ngx_http_upload_*.c) echo "$word" >> "$COMPILED"; exec /usr/bin/cc "$@" -Wall -Wextra -Werror ;; esac
done
exec /usr/bin/cc "$@"
`;

/** An nginx in an image, with a module that was compiled against it without a warning. */
export interface ImageProgram extends NginxProgram {
  readonly image: string;
  /** The module's files as they were compiled, with every warning an error. */
  readonly compiled: readonly string[];
}

interface Release {
  /** Last part of the image's name. */
  readonly name: string;
  /** Of nginx. */
  readonly version: string;
  /** Lines for apt's sources, or nothing for what the base image has. */
  readonly sources?: string;
  readonly nginx: readonly string[];
}

/** Debian 13: nginx 1.26.3, with HTTP/3. */
export const trixie: Release = { name: "trixie", version: "1.26.3", nginx: ["nginx", "nginx-dev"] };

/**
 * The newest that Debian has, of the release in the making. A mirror keeps one version alone: when this one is gone,
 * `apt-cache policy nginx-dev` with the same source says what to write here.
 */
export const newest: Release = {
  name: "newest",
  version: "1.30.6",
  sources: "deb [check-valid-until=no] http://deb.debian.org/debian forky main",
  nginx: ["nginx=1.30.6-2", "nginx-dev=1.30.6-2"],
};

function dockerfile({ sources, nginx }: Release): string {
  const changed = sources === undefined ? "" : `rm -rf /etc/apt/sources.list.d/* && echo '${sources}' > /etc/apt/sources.list && `;
  return `FROM ${BASE}
RUN ${changed}apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${[...PACKAGES, ...nginx].join(" ")} && rm -rf /var/lib/apt/lists/*
`;
}

const hasImage = async (name: string): Promise<boolean> => (await execa("docker", ["image", "inspect", name], { reject: false })).exitCode === 0;

/** Builds the image of a release, or finds it built; earlier ones of the release are removed. */
async function imageOf(release: Release): Promise<string> {
  const text = dockerfile(release);
  const repository = `slipway-test-nginx-${release.name}`;
  const image = `${repository}:${createHash("sha256").update(text).digest("hex").slice(0, 12)}`;
  if (await hasImage(image)) return image;
  if (!(await hasImage(BASE))) await buildBaseImage(BASE, "trixie");
  // Test files that begin together build it once: the later ones find every layer in Docker's cache.
  mkdirSync(cache, { recursive: true });
  await execa("flock", [join(cache, `${release.name}.lock`), "docker", "build", "--force-rm", "--tag", image, "-"], { input: text });
  const others = (await docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", repository)).split("\n").filter((name) => name !== "" && name !== image);
  for (const other of others) await execa("docker", ["image", "rm", other], { reject: false });
  return image;
}

const CONTAINERS = "slipway-test-nginx-";

/** Removes what a run that was killed has left: containers are named by the process that started them. */
async function removeOrphans(): Promise<void> {
  for (const name of await resources("container", CONTAINERS)) {
    const pid = name.slice(CONTAINERS.length).split("-")[0]!;
    if (!existsSync(`/proc/${pid}`)) await execa("docker", ["rm", "--force", name], { reject: false });
  }
}

/** `docker run` of a shell script on the host's network, among the host's processes, with folders at their own paths. */
function shellIn(image: string, script: string, folders: readonly string[], environment: Readonly<Record<string, string>> = {}): [string, ...string[]] {
  const mounts = folders.map((path) => `--volume=${path}:${path}`);
  const variables = Object.entries(environment).map(([name, value]) => `--env=${name}=${value}`);
  const name = `--name=${CONTAINERS}${process.pid}-${randomBytes(4).toString("hex")}`;
  return ["docker", "run", "--rm", name, "--network=host", "--pid=host", "--init=false", ...mounts, ...variables, image, "sh", "-c", script];
}

/** Compiles the module strictly, with the sanitizers or without, where `run` runs scripts; kept by what goes in. @returns its folder */
async function strictModule(identity: string, sanitize: boolean, run: (script: string, folders: readonly string[], environment: Readonly<Record<string, string>>) => readonly [string, ...string[]]): Promise<string> {
  const { fingerprint } = buildContext({ args: { identity, STRICT_COMPILER, sanitize: `${sanitize}` }, files: filesBelow(moduleFolder, "module", new Set(["fuzz"])) });
  const folder = join(cache, fingerprint.slice(0, 32));
  if (existsSync(join(folder, moduleFile))) return folder;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "build-"));
  try {
    writeFileSync(join(work, "cc"), STRICT_COMPILER, { mode: 0o755 });
    const environment = { COMPILED: join(work, "compiled"), SLIPWAY_SANITIZE: sanitize ? "1" : "" };
    const script = `PATH=${work}:$PATH exec ${moduleFolder}/build.sh ${work}`;
    const [command, ...argv] = run(script, [work, moduleFolder], environment);
    await execa(command, argv, { env: environment });
    // Another test file may have been faster.
    if (!existsSync(folder)) renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}

const compiledIn = (folder: string): string[] => [...new Set(readFileSync(join(folder, "compiled"), "utf8").trim().split("\n").map((path) => path.replace(/^.*\/src\//, "")))].sort();

/** Compiles the module for the host's nginx with every warning an error. @returns the files that were compiled */
export async function compileStrictly(): Promise<string[]> {
  const version = execFileSync("sh", ["-c", "nginx -V 2>&1"], { encoding: "utf8" });
  return compiledIn(await strictModule(version, false, (script) => ["sh", "-c", script]));
}

/** As the host's nginx has them; in a release's image, whose gcc knows where the library is. */
const sanitizers = (path: string): string =>
  `export ASAN_OPTIONS=detect_leaks=0:abort_on_error=0:log_path=${path}/sanitizer UBSAN_OPTIONS=print_stacktrace=1:log_path=${path}/sanitizer; export LD_PRELOAD=$(gcc -print-file-name=libasan.so); `;

/**
 * The nginx of a release with its module.
 * @param folders of the host that its configurations name, beside the folder of each run
 * @param sanitize whether the module is the one with the sanitizers
 * @throws when the image or the module cannot be built, with what the build wrote
 */
export async function programOf(release: Release, folders: readonly string[] = [], sanitize = false): Promise<ImageProgram> {
  await removeOrphans();
  const image = await imageOf(release);
  const folder = await strictModule(await docker("image", "inspect", "--format", "{{.Id}}", image), sanitize, (script, folders, environment) => shellIn(image, script, folders, environment));
  const version = await docker("run", "--rm", image, "sh", "-c", "nginx -v 2>&1");
  return {
    name: version.replace("nginx version: nginx/", "nginx "),
    image,
    module: join(folder, moduleFile),
    compiled: compiledIn(folder),
    shell: (script, path) => shellIn(image, `${sanitize ? sanitizers(path) : ""}${script}`, [path, folder, ...folders]),
  };
}

/**
 * Why the image of a release cannot be had here, or undefined when it can.
 * @throws when CI says that Docker must be there, unless the mirror has dropped the version
 */
export async function gone(release: Release): Promise<string | undefined> {
  try {
    await imageOf(release);
    return undefined;
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as { stdout?: string; stderr?: string; message: string };
    const dropped = `${stdout}\n${stderr}`.split("\n").find((line) => /E: Version .* was not found/.test(line));
    if (dropped !== undefined) return `Debian's mirror has another version than ${release.version}; write the new one in test/helpers/trixie.ts`;
    if (process.env["CI"] === "true" || process.env["SLIPWAY_REQUIRE_DOCKER"] === "1") throw error;
    return `the image cannot be built: ${`${message}\n${stdout}`.split("\n").find((line) => line.startsWith("E: ")) ?? message.split("\n")[0]}`;
  }
}
