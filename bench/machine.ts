import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { Problem } from "../scripts/core/problem.ts";
import { run } from "../scripts/core/run.ts";

/** What a number of the benchmark belongs to. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly distribution: string;
  readonly nginx: string;
  readonly openssl: string;
  readonly curl: string;
  readonly node: string;
  /** ISO 8601, UTC. */
  readonly date: string;
}

async function firstLine(...argv: [string, ...string[]]): Promise<string> {
  const result = await run(argv);
  if (!result.ok) throw new Problem(`bench: "${argv.join(" ")}" failed; install ${argv[0]} (apt-get install nginx curl openssl)`);
  return (result.stdout || result.stderr).split("\n")[0]!;
}

/** Version of the host's nginx as numbers: 1, 22, 1. */
export async function nginxVersion(): Promise<readonly number[]> {
  return (/nginx\/([\d.]+)/.exec(await firstLine("nginx", "-v"))?.[1] ?? "").split(".").map(Number);
}

/** This machine, now. @throws Problem when a program that the benchmark needs is missing */
export async function describeMachine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    distribution: /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown",
    nginx: (await nginxVersion()).join("."),
    openssl: (await firstLine("openssl", "version")).replace(/^OpenSSL (\S+).*$/, "$1"),
    curl: (await firstLine("curl", "--version")).replace(/^curl (\S+).*$/, "$1"),
    node: process.versions.node,
    date: new Date().toISOString(),
  };
}
