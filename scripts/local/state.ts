import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SiteProps } from "../../stacks/props.ts";
import { siteFolder } from "../../stacks/site-folder.ts";

/** What a local site that runs in the background leaves for the other commands to find it by. */
export interface LocalState {
  /** Process id of the command that looks after the site. */
  readonly pid: number;
  /** Hash of the props it was started with. */
  readonly props: string;
  readonly pids: { readonly nginx: number | null; readonly service: number | null };
  readonly url: string;
  readonly port: number;
  readonly caFile: string | null;
  readonly root: string;
  readonly store: string;
}

export const localStateFile = (siteName: string): string => join(siteFolder(siteName), "local.json");

/** Changes when any prop does. */
export const hashOfProps = (props: SiteProps): string => createHash("sha256").update(JSON.stringify(props)).digest("hex").slice(0, 16);

/** Where the site keeps its data: outside the checkout for root, since the site's user may not be able to enter it. */
export const localRoot = (siteName: string, isRoot: boolean): string =>
  isRoot ? join("/var/lib/slipway", siteName) : join(siteFolder(siteName), "local");

/** State of the local site that runs now; `undefined` when none does. */
export async function readLocalState(siteName: string): Promise<LocalState | undefined> {
  try {
    const state = JSON.parse(await readFile(localStateFile(siteName), "utf8")) as LocalState;
    return isCommand(state.pid) ? state : undefined;
  } catch {
    return undefined;
  }
}

/** Written whole or not at all, so that whoever waits for it never reads half of it. */
export async function writeLocalState(file: string, state: LocalState): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

export const removeLocalState = (file: string): Promise<void> => rm(file, { force: true });

/** A process id is used again after a reboot: only one whose command line is ours counts. */
function isCommand(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !existsSync("/proc/self/cmdline") || commandLine(pid).includes("scripts/local.ts");
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
