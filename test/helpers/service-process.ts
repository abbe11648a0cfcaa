/** The bundled service in a process of its own, as it is deployed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type LogLine, secret, type ServiceFolder } from "./service.ts";

export interface ServiceProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly lines: readonly LogLine[];
  /** Settles with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** The environment of docs/internals/contracts.md. */
export function serviceEnvironment(folder: ServiceFolder): Record<string, string> {
  const secretFile = join(folder.root, "secret");
  if (!existsSync(secretFile)) writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 });
  return {
    PATH: process.env["PATH"] ?? "",
    SLIPWAY_LISTEN: "127.0.0.1:0",
    SLIPWAY_STORE: folder.store,
    SLIPWAY_DATABASE: folder.database,
    SLIPWAY_SECRET_FILE: secretFile,
  };
}

/**
 * Starts the service and waits until it listens.
 * @param argv what Node runs: the bundle's `service.mjs`, or `--import tsx app/main.ts`
 */
export async function spawnService(folder: ServiceFolder, argv: readonly string[], cwd?: string): Promise<ServiceProcess> {
  const child = spawn(process.execPath, argv, {
    env: serviceEnvironment(folder),
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const lines: LogLine[] = [];
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ended = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | string);
  const listening = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const entry = JSON.parse(line) as LogLine;
      lines.push(entry);
      if (entry.msg === "listening") resolve(String(entry["url"]));
    });
  });
  const url = await Promise.race([
    listening,
    ended.then((code) => {
      throw new Error(`the service ended with ${code} before it listened: ${errors}`);
    }),
  ]);
  return { child, url, lines, ended };
}
