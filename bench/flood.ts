import { spawn } from "node:child_process";
import { Problem } from "../scripts/core/problem.ts";
import { lastLines, run } from "../scripts/core/run.ts";
import type { Entrance } from "./contestants/ours.ts";
import { compile } from "./programs.ts";

/** Uploads that are sent at once, see flood.c. */
export interface FloodOptions {
  readonly port: number;
  /** @default "form" */
  readonly entrance?: Entrance;
  readonly connections: number;
  readonly uploads: number;
  /** Of each upload. */
  readonly bytes: number;
  /** Where the bytes come from. */
  readonly file: string;
}

export interface FloodResult {
  readonly seconds: number;
  /** Uploads that were answered 200. */
  readonly answered: number;
  readonly failed: number;
  /** What it said of the first that failed. */
  readonly errors: string;
}

export interface Flood {
  readonly running: boolean;
  /** Resolves when all uploads have been answered. */
  readonly ended: Promise<FloodResult>;
  /** Breaks off. */
  stop(): Promise<void>;
}

/** Starts many uploads at once to `/upload`. */
export async function startFlood({ port, entrance = "form", connections, uploads, bytes, file }: FloodOptions): Promise<Flood> {
  const child = spawn(await compile("flood"), [`${port}`, "/upload", entrance, `${connections}`, `${uploads}`, `${bytes}`, file], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, errors, running] = ["", "", true];
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  const ended = new Promise<FloodResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      running = false;
      if (out === "") reject(new Problem(`flood: ended without a result; ${errors.trim()}`));
      else resolve({ ...(JSON.parse(out) as Omit<FloodResult, "errors">), errors: errors.trim() });
    });
  });
  // Whoever waits for it gets the error; nobody may.
  ended.catch(() => undefined);
  return {
    get running() {
      return running;
    },
    ended,
    async stop() {
      child.kill("SIGTERM");
      await ended.catch(() => undefined);
    },
  };
}

/** Answer times of GETs, one after the other on one connection, seconds. @throws Problem when one is not answered 200 */
export async function probe(port: number, path: string, count: number): Promise<number[]> {
  const result = await run([await compile("probe"), `${port}`, path, `${count}`]);
  if (!result.ok) throw new Problem(`probe: ${lastLines(result, 1)}`);
  return result.stdout.trim().split("\n").map((line) => Number(line) / 1e6);
}
