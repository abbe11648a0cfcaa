/** A rendered site on a real nginx with the real module, in a folder of its own; what completes uploads is the test's. */

import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { buildModule } from "../../images/module-build.ts";
import { freePort } from "../../scripts/local/ports.ts";
import { errorPages } from "../../stacks/nginx/error-pages.ts";
import { renderNginx } from "../../stacks/nginx/render.ts";
import type { Placement } from "../../stacks/placement.ts";
import type { SiteSettings } from "../../stacks/settings.ts";

const run = promisify(execFile);

/** Why nginx tests cannot run here, or undefined when they can. */
export function whyNoNginx(): string | undefined {
  try {
    nginxVersion();
    execFileSync("openssl", ["version"]);
    return undefined;
  } catch {
    return "nginx, nginx-dev, gcc and openssl are not installed";
  }
}

/** Version of the host's nginx, "1.22.1". */
export function nginxVersion(): string {
  // nginx prints its version on stderr.
  const line = execFileSync("sh", ["-c", "nginx -v 2>&1"], { encoding: "utf8" });
  const version = /nginx\/([0-9.]+)/.exec(line)?.[1];
  if (version === undefined) throw new Error(`nginx -v: no version in ${line}`);
  return version;
}

export interface NginxFolder {
  readonly root: string;
  readonly placement: Placement;
  /** nginx's error log so far. */
  errors(): string;
  /** The access log so far, a parsed object for each line. */
  accesses(): Record<string, unknown>[];
  remove(): void;
}

/** A folder with everything that a configuration names: certificate, secret, error pages, store. */
export async function nginxFolder(servicePort: number): Promise<NginxFolder> {
  const root = mkdtempSync(join(tmpdir(), "slipway-nginx-"));
  for (const name of ["tmp", "errors", "store/incoming", "store/files"]) await mkdir(join(root, name), { recursive: true });
  await chmod(root, 0o755);
  const [certificate, key, secretConf] = ["site.pem", "site.key", "secret.conf"].map((name) => join(root, name)) as [string, string, string];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  await run("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", key, "-out", certificate, ...subject]);
  await writeFile(secretConf, 'set $slipway_secret "5ec2e7";\n');
  for (const [name, body] of errorPages()) await writeFile(join(root, "errors", name), body);
  const logs = { error: join(root, "error.log"), access: join(root, "access.log") };
  const read = (path: string): string => readFileSync(path, "utf8");
  const placement: Placement = {
    nginxVersion: nginxVersion(),
    modulePath: await buildModule(),
    pidPath: join(root, "nginx.pid"),
    tempDir: join(root, "tmp"),
    errorLog: logs.error,
    accessLog: logs.access,
    store: join(root, "store"),
    httpsListen: `127.0.0.1:${await freePort()}`,
    httpListen: `127.0.0.1:${await freePort()}`,
    healthListen: `127.0.0.1:${await freePort()}`,
    httpsPublicPort: 8443,
    certificate,
    key,
    secretConf,
    errorPages: join(root, "errors"),
    service: { address: `127.0.0.1:${servicePort}` },
    resolver: null,
    workerProcesses: 1,
    foreground: true,
    user: process.getuid?.() === 0 ? "root" : null,
  };
  return {
    root,
    placement,
    errors: () => read(logs.error),
    accesses: () => read(logs.access).trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** What `nginx -t` says of a site in this folder: its words, and whether it is content and warns of nothing. */
export async function nginxTest(folder: NginxFolder, settings: SiteSettings, placement: Partial<Placement> = {}): Promise<{ ok: boolean; output: string }> {
  const config = join(folder.root, "nginx.conf");
  await writeFile(config, renderNginx(settings, { ...folder.placement, ...placement }));
  const { ok, stderr } = await run("nginx", ["-t", "-c", config, "-e", "stderr"]).then(
    (result) => ({ ok: true, stderr: result.stderr }),
    (error: { stderr: string }) => ({ ok: false, stderr: error.stderr }),
  );
  return { ok: ok && !/\[(warn|error|alert|emerg)\]/.test(stderr), output: stderr };
}

async function listening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const open = await Promise.race([once(socket, "connect").then(() => true), once(socket, "error").then(() => false)]).catch(() => false);
  socket.destroy();
  return open;
}

/** Starts nginx for a site in this folder; the answer stops it. */
export async function startNginx(folder: NginxFolder, settings: SiteSettings): Promise<() => Promise<void>> {
  const config = join(folder.root, "nginx.conf");
  await writeFile(config, renderNginx(settings, folder.placement));
  const child = spawn("nginx", ["-c", config, "-e", join(folder.root, "error.log")], { stdio: "ignore" });
  const ended = once(child, "exit");
  const port = Number(folder.placement.httpsListen.split(":").pop());
  for (let tries = 0; !(await listening(port)); tries++) {
    if (child.exitCode !== null || tries > 600) throw new Error(`nginx did not start: ${await readFile(join(folder.root, "error.log"), "utf8")}`);
    await sleep(50);
  }
  return async () => {
    child.kill("SIGTERM");
    await ended;
  };
}
