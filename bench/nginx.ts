import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../scripts/core/problem.ts";
import { lastLines, run } from "../scripts/core/run.ts";
import { freePort } from "../scripts/local/ports.ts";
import { type Group, NotAvailable, type Place } from "./contestant.ts";
import { nginxVersion } from "./machine.ts";
import { processTree } from "./proc.ts";
import { startServer } from "./server-process.ts";

/** An nginx of the benchmark: what all of them have in common is not said here. */
export interface NginxSetup {
  readonly group: Group;
  /** Directives of the server. */
  readonly server: string;
  /** Directives of the http block. @default none */
  readonly http?: string;
  /** Path of the module to load. @default none */
  readonly module?: string;
}

export interface RunningNginx {
  readonly port: number;
  /** `https://localhost:port` or the like. */
  readonly origin: string;
  /** Process id of the only worker. */
  readonly worker: number;
  pids(): readonly number[];
  stop(): Promise<void>;
}

// Many connections at once must neither run out of descriptors nor wait for a SYN that was dropped.
const CONNECTIONS = 4096;

/** `listen` and what belongs to it: HTTP/2 is a parameter before nginx 1.25.1 and a directive since. */
export function listenDirectives(group: Group, port: number, version: readonly number[], place: Pick<Place, "certificate" | "key">): string {
  const address = `127.0.0.1:${port} backlog=${CONNECTIONS}`;
  if (group === "http") return `listen ${address};`;
  const [major = 0, minor = 0, patch = 0] = version;
  const directive = major > 1 || minor > 25 || (minor === 25 && patch >= 1);
  const listen = `listen ${address} ssl${group === "h2" && !directive ? " http2" : ""};`;
  const http2 = group === "h2" && directive ? "\n    http2 on;" : "";
  return `${listen}${http2}\n    ssl_certificate ${place.certificate};\n    ssl_certificate_key ${place.key};`;
}

const WORKER_MS = 10_000;

/** The master and its worker, which there is only some time after the master listens. */
async function treeWithWorker(master: number): Promise<number[]> {
  const until = performance.now() + WORKER_MS;
  let tree = processTree(master);
  while (tree.length < 2 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    tree = processTree(master);
  }
  return tree;
}

function configuration(setup: NginxSetup, folder: string, listen: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/temp/${name};`);
  return `daemon off;
worker_processes 1;
worker_rlimit_nofile ${4 * CONNECTIONS};
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
${process.getuid?.() === 0 ? "user root;" : ""}
${setup.module === undefined ? "" : `load_module ${setup.module};`}
events { worker_connections ${2 * CONNECTIONS}; }
http {
  access_log off;
  keepalive_requests 1000000;
  ${temporary.join("\n  ")}
  ${setup.http ?? ""}
  server {
    ${listen}
    client_max_body_size 0;
    ${setup.server}
  }
}
`;
}

/**
 * Starts the host's nginx with one worker.
 * @throws NotAvailable with nginx's message when it refuses the configuration
 */
export async function startNginx(setup: NginxSetup, place: Place): Promise<RunningNginx> {
  const { folder } = place;
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  await mkdir(join(folder, "temp"), { recursive: true });
  await writeFile(file, configuration(setup, folder, listenDirectives(setup.group, port, await nginxVersion(), place)));

  const check = await run(["nginx", "-t", "-q", "-e", join(folder, "error.log"), "-c", file]);
  if (!check.ok) throw new NotAvailable(refusal(lastLines(check)));
  const server = await startServer("nginx", ["nginx", "-e", join(folder, "error.log"), "-c", file], folder, port);
  const pids = await treeWithWorker(server.pid);
  const worker = pids[1];
  if (worker === undefined) {
    await server.stop();
    throw new Problem(`nginx: no worker below process ${server.pid} after ${WORKER_MS / 1000} s; its error log was ${await readFile(join(folder, "error.log"), "utf8")}`);
  }
  return {
    port,
    origin: `${setup.group === "http" ? "http" : "https"}://127.0.0.1:${port}`,
    worker,
    pids: () => pids,
    stop: server.stop,
  };
}

/** The first thing that nginx found wrong, without the place in our folder. */
export function refusal(output: string): string {
  const line = output.split("\n").find((text) => text.includes("[emerg]")) ?? output.split("\n")[0] ?? "";
  return line.replace(/^.*\[emerg\]\s*/, "").replace(/ in \S+nginx\.conf:\d+$/, "");
}

/** What curl needs to speak to a group's servers. */
export function curlTransport(group: Group): readonly string[] {
  if (group === "http") return [];
  return ["--insecure", group === "h2" ? "--http2" : "--http1.1"];
}
