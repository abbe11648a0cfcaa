import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Argv } from "../../scripts/core/run.ts";
import type { Running } from "../contestant.ts";
import { processTree } from "../proc.ts";
import { installPythonRival } from "../rivals.ts";
import type { Session } from "../session.ts";
import { startSite } from "../site.ts";
import { startCopyparty } from "./rivals.ts";
import { slipwayArgv } from "./uploaders.ts";

/** A server that takes folders, and the program that sends one to it. */
export interface Receiving {
  /** Folder of finished uploads. */
  readonly store: string;
  pids(): readonly number[];
  /** Made outside the measured time. @param round goes into the address where files of the same name must not meet */
  command(folder: string, round: number): Promise<Argv>;
}

/** Someone who sends a folder of small files. */
export interface Sender {
  readonly name: string;
  /** Starts the server, which the session's cleanup stops. */
  start(session: Session): Promise<Receiving>;
}

/** A sender to a site of ours. */
const toSite = (name: string, command: (site: { readonly url: string; readonly caFile: string }, folder: string, work: string) => Promise<Argv>): Sender => ({
  name,
  async start({ ground, cleanup }) {
    const site = await startSite(ground, cleanup, { address: "127.0.0.1" });
    const { folder: work } = await ground.place("sender");
    return { store: site.files, pids: () => site.pids.flatMap(processTree), command: (folder) => command(site, folder, work) };
  },
});

/** Every file below a folder, as paths from it. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** One curl sends one file after the other on one connection. */
const curl = toSite("curl, one connection", async ({ url, caFile }, folder, work) => {
  const config = join(work, "curl.conf");
  const transfers = (await filesBelow(folder)).map((path) => `upload-file = "${join(folder, path)}"\nurl = "${url}/upload/${path}"\noutput = "/dev/null"\n`);
  await writeFile(config, transfers.join(""));
  return ["curl", "-sS", "--fail-early", "-f", "--cacert", caFile, "-K", config];
});

const push = toSite("slipway push", async (site, folder, work) => [...(await slipwayArgv(site, work)), folder, site.url]);

/** copyparty's own client, to copyparty without TLS. */
const u2c: Sender = {
  name: "copyparty u2c",
  async start({ ground, cleanup }) {
    const place = await ground.place("copyparty");
    const server: Pick<Running, "port" | "pids" | "stop"> = await startCopyparty(place);
    cleanup.add(() => server.stop());
    const program = join(await installPythonRival(), "copyparty/web/a/u2c.py");
    return {
      store: place.store,
      pids: server.pids,
      command: async (folder, round) => ["python3", program, "-ns", `http://127.0.0.1:${server.port}/upload/${round}/`, folder],
    };
  },
};

/** Everyone who sends a folder, in the order of the table: the first is what the others are compared with. */
export const senders: readonly Sender[] = [curl, push, u2c];
