import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { checkout } from "../scripts/core/paths.ts";
import { Problem } from "../scripts/core/problem.ts";
import type { Argv } from "../scripts/core/run.ts";
import type { Cleanup } from "./cleanup.ts";
import type { Ground } from "./ground.ts";
import type { SiteReady } from "./servers/site.ts";

/** Command line of this checkout's Node for a TypeScript program. */
export const tsxArgv = (script: string, ...args: string[]): Argv => [
  process.execPath, "--import", join(checkout, "node_modules/tsx/dist/loader.mjs"), join(checkout, script), ...args,
];

/** How a site is started. */
export interface SiteOptions {
  readonly address: string;
  /** Puts the command line where it is to run. @default here */
  readonly at?: (argv: Argv) => Argv;
}

/** Starts a whole site on the ground; `cleanup` stops it. @throws Problem with what it printed when it does not start */
export async function startSite(ground: Ground, cleanup: Cleanup, { address, at = (argv) => argv }: SiteOptions): Promise<SiteReady & { stop(): Promise<void> }> {
  const { folder } = await ground.place("site");
  // The site's own user has to get there.
  for (const path of [ground.folder, folder]) await chmod(path, 0o711);
  const [program, ...args] = at(tsxArgv("bench/servers/site.ts", join(folder, "root"), address));
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
  };
  cleanup.add(stop);
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  const ready = await Promise.race([
    new Promise<SiteReady>((resolve) => createInterface({ input: child.stdout }).once("line", (line) => resolve(JSON.parse(line) as SiteReady))),
    ended.then(() => {
      throw new Problem(`bench: the site did not start\n${errors.trim()}`);
    }),
  ]);
  return { ...ready, stop };
}
