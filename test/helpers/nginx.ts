import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll } from "vitest";
import { buildModule } from "../../images/module-build.ts";
import { freePorts } from "../../scripts/local/ports.ts";

/** Whether the module of this run is the one with AddressSanitizer and UndefinedBehaviorSanitizer. */
export const sanitizing = process.env["SLIPWAY_SANITIZE"] === "1";

const modules = new Map<boolean, string>();

/** Builds the module, or finds it built. Test files get theirs by importing this file; programs call it themselves. */
export async function prepareModule(sanitize: boolean = sanitizing): Promise<void> {
  modules.set(sanitize, await buildModule({ sanitize }));
}

if (process.env["VITEST"] !== undefined) beforeAll(() => prepareModule(), 300_000);

/** A request that came to the upstream, its body as the module rewrote it. */
export interface Passed {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string;
}

/** Instead of an answer: the connection ends. */
export const HANG_UP = "the upstream hangs up";

export type Reply = Answer | typeof HANG_UP | undefined;

/** An nginx other than the host's own, such as one in a container. */
export interface NginxProgram {
  /** What it is, for titles. */
  readonly name: string;
  /** Path of the module that fits it. */
  readonly module: string;
  /** The command that runs a shell script where it is installed, with a folder of the host at the same path. */
  shell(script: string, folder: string): readonly [string, ...string[]];
}

/** An nginx to start; `%PORT%`, `%TLS_PORT%`, `%UPSTREAM%`, `%STORE%` and `%FOLDER%` are replaced in every text. */
export interface NginxOptions {
  /** Directives of the server block, beside `listen`. */
  readonly server: string;
  /** Directives of the http block. */
  readonly http?: string;
  /** `listen` directives. @default "listen 127.0.0.1:%PORT%;" */
  readonly listen?: string;
  /** What the upstream answers; `undefined` never. @default 200 "done" */
  readonly answer?: (passed: Passed) => Reply | Promise<Reply>;
  /** Lines of level alert, emerg or crit that are meant to be there. @default none */
  readonly expectLog?: RegExp;
  /** Files may be left in the store. @default false */
  readonly keepsFiles?: boolean;
  /** The nginx, with sanitizers if its module has them; `preload` and `environment` are for the host's alone. @default the host's own, with its module */
  readonly program?: NginxProgram;
  /** Umask of nginx, octal. @default "022" */
  readonly umask?: string;
  /** Worker processes. @default 1 */
  readonly workers?: number;
  /** Connections that a worker can have. @default 256 */
  readonly connections?: number;
  /** Level of the error log. @default "info" */
  readonly logLevel?: string;
  /** Whether the module is the one with the sanitizers; `prepareModule` must have built it. @default sanitizing */
  readonly sanitize?: boolean;
  /** Libraries that are preloaded into nginx, behind the sanitizers'. @default none */
  readonly preload?: readonly string[];
  /** More variables of nginx's environment; `%FOLDER%` and its like are replaced. @default none */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A running nginx with an upstream and a store of its own. */
export interface Nginx {
  readonly port: number;
  readonly tlsPort: number;
  readonly folder: string;
  readonly store: string;
  readonly passed: readonly Passed[];
  /** Paths of the files in the store, sorted. */
  files(): string[];
  log(): string;
  /** Waits until `check` returns true. @throws after half a minute, with the log */
  until(check: () => boolean, what: string): Promise<void>;
  /** Process id of the master. */
  readonly master: number;
  /** Process ids of the workers. */
  workers(): number[];
}

/** Every file below a folder, sorted. */
export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function startUpstream(answer: NginxOptions["answer"], passed: Passed[]): Promise<http.Server> {
  const upstream = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const { method = "", url = "", headers, rawHeaders } = request;
      const one = { method, url, headers, rawHeaders, body: Buffer.concat(chunks) };
      passed.push(one);
      const reply = answer === undefined ? {} : await answer(one);
      if (reply === HANG_UP) request.socket.destroy();
      else if (reply !== undefined) response.writeHead(reply.status ?? 200, reply.headers).end(reply.body ?? "done");
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  return upstream;
}

function replaceWords(text: string, words: Readonly<Record<string, string>>): string {
  return text.replace(/%([A-Z_]+)%/g, (whole, word: string) => words[word] ?? whole);
}

function render(options: NginxOptions, words: Readonly<Record<string, string>>): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path %FOLDER%/temp/${name};`);
  const text = `
daemon off;
worker_processes ${options.workers ?? 1};
worker_shutdown_timeout 5s;
pid %FOLDER%/nginx.pid;
error_log %FOLDER%/error.log ${options.logLevel ?? "info"};
${process.getuid?.() === 0 ? "user root;" : ""}
load_module ${options.program?.module ?? modules.get(options.sanitize ?? sanitizing) ?? ""};
events { worker_connections ${options.connections ?? 256}; }
http {
  access_log off;
  ${temporary.join("\n  ")}
  ${options.http ?? ""}
  server {
    ${options.listen ?? "listen 127.0.0.1:%PORT%;"}
    client_max_body_size 0;
    ${options.server}
  }
}
`;
  return replaceWords(text, words);
}

function environment(options: NginxOptions, words: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const folder = words["FOLDER"] ?? "";
  const libraries = [...(options.preload ?? [])];
  const more = Object.entries(options.environment ?? {}).map(([name, value]) => [name, replaceWords(value, words)]);
  const sanitizers: NodeJS.ProcessEnv = {};
  if (options.sanitize ?? sanitizing) {
    libraries.unshift(execFileSync("gcc", ["-print-file-name=libasan.so"], { encoding: "utf8" }).trim());
    // nginx itself frees nothing when it ends.
    sanitizers["ASAN_OPTIONS"] = `detect_leaks=0:abort_on_error=0:log_path=${folder}/sanitizer`;
    sanitizers["UBSAN_OPTIONS"] = `print_stacktrace=1:log_path=${folder}/sanitizer`;
  }
  const preload = libraries.length === 0 ? {} : { LD_PRELOAD: libraries.join(":") };
  return { ...process.env, ...preload, ...sanitizers, ...Object.fromEntries(more) };
}

async function listening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** For what hangs, ms: a slow machine, or one that stands still for a while, is not to meet it. */
const PATIENCE_MS = 30_000;

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGQUIT");
  const patience = setTimeout(() => child.kill("SIGTERM"), 8000);
  await ended;
  clearTimeout(patience);
}

/** What no test may leave behind, whatever it is about. */
function hiddenChecks(site: Nginx, options: NginxOptions): void {
  const bad = site
    .log()
    .split("\n")
    .filter((line) => /\[(alert|emerg|crit)\]|Sanitizer|exited on signal/.test(line) && !options.expectLog?.test(line));
  for (const file of readdirSync(site.folder).filter((name) => name.startsWith("sanitizer"))) {
    bad.push(readFileSync(join(site.folder, file), "utf8"));
  }
  if (bad.length > 0) throw new Error(`in the error log:\n${bad.join("\n")}`);
  if (!options.keepsFiles && site.files().length > 0) throw new Error(`left in the store:\n${site.files().join("\n")}`);
}

/** What `nginx -t` says of a configuration; exit code and output. */
export function checkConfig(options: NginxOptions): { readonly ok: boolean; readonly output: string } {
  const folder = mkdtempSync(join(tmpdir(), "slipway-nginx-"));
  try {
    mkdirSync(join(folder, "temp"));
    const words = { PORT: "1", TLS_PORT: "2", UPSTREAM: "127.0.0.1:3", STORE: join(folder, "store"), FOLDER: folder };
    writeFileSync(join(folder, "nginx.conf"), render(options, words));
    const script = `nginx -t -c ${folder}/nginx.conf -g 'master_process on;' 2>&1; echo "exit $?"`;
    const output = execFileSync("sh", ["-c", script], { encoding: "utf8", env: environment(options, words) });
    return { ok: /exit 0\n$/.test(output), output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether the module knows a directive, so that tests of it can be skipped; for use before the tests begin. */
export async function takes(directive: string): Promise<boolean> {
  await prepareModule();
  const { ok, output } = checkConfig({ server: directive });
  if (!ok && !/unknown directive/.test(output)) throw new Error(`${directive} is refused for another reason:\n${output}`);
  return ok;
}

/**
 * Runs a test against the host's real nginx with our module, then checks that the error log has nothing alarming
 * and that no file is left in the store.
 */
export async function withNginx(options: NginxOptions, test: (site: Nginx) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "slipway-nginx-"));
  const store = join(folder, "store");
  for (const name of ["store", "temp"]) mkdirSync(join(folder, name));
  chmodSync(folder, 0o755);
  const passed: Passed[] = [];
  const upstream = await startUpstream(options.answer, passed);
  const [port = 0, tlsPort = 0] = await freePorts(2);
  const address = `127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const words = { PORT: `${port}`, TLS_PORT: `${tlsPort}`, UPSTREAM: address, STORE: store, FOLDER: folder };
  writeFileSync(join(folder, "nginx.conf"), render(options, words));

  const out = openSync(join(folder, "stderr.log"), "w");
  const start = `umask ${options.umask ?? "022"}; exec nginx -e ${folder}/error.log -c ${folder}/nginx.conf`;
  const [command, ...argv] = options.program?.shell(start, folder) ?? ["sh", "-c", start];
  const child = spawn(command, argv, { stdio: ["ignore", out, out], env: options.program === undefined ? environment(options, words) : process.env });
  const site: Nginx = {
    port,
    tlsPort,
    folder,
    store,
    passed,
    get master() {
      return Number(readFileSync(join(folder, "nginx.pid"), "utf8"));
    },
    files: () => filesBelow(store),
    log: () => ["error.log", "stderr.log"].map((name) => join(folder, name)).map((path) => (existsSync(path) ? readFileSync(path, "utf8") : "")).join(""),
    workers: () => spawnSync("ps", ["-o", "pid=", "--ppid", `${site.master}`], { encoding: "utf8" }).stdout.split(/\s+/).filter((word) => word !== "").map(Number),
    until: async (check, what) => {
      for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
        if (check()) return;
        await sleep(20);
      }
      throw new Error(`waited for ${what}; the log:\n${site.log()}`);
    },
  };

  try {
    // The pid comes after the sockets.
    const pid = join(folder, "nginx.pid");
    const isReady = async (): Promise<boolean> => existsSync(pid) && readFileSync(pid, "utf8") !== "" && (await listening(port));
    const end = performance.now() + PATIENCE_MS;
    while (child.exitCode === null && performance.now() < end && !(await isReady())) await sleep(20);
    if (child.exitCode !== null || performance.now() >= end) throw new Error(`nginx did not start:\n${site.log()}`);
    await test(site);
    await stop(child);
    hiddenChecks(site, options);
  } finally {
    await stop(child);
    upstream.closeAllConnections();
    upstream.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
