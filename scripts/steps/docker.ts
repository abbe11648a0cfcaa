import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { daemon, engineVersion } from "../commands/docker.ts";
import type { Machine } from "../core/machine.ts";
import { cacheRoot } from "../core/paths.ts";
import { Problem } from "../core/problem.ts";
import type { Argv } from "../core/run.ts";
import { found, made, type Step } from "./step.ts";

const START_TIMEOUT_MS = 60_000;

/** Starts a program that goes on when this command has ended, its output in a file. */
export type Detach = (argv: Argv, logFile: string) => void;

const detach: Detach = ([file, ...args], logFile) => {
  const log = openSync(logFile, "a");
  spawn(file, args, { detached: true, stdio: ["ignore", log, log], cwd: "/" }).unref();
};

/** The engine answers; where it does not and may be started, it is started. */
export const dockerStep = (machine: Machine, start: Detach = detach, timeoutMs: number = START_TIMEOUT_MS): Step => ({
  name: "docker",
  after: ["packages"],
  run: async (report) => {
    const version = await machine.run(engineVersion());
    if (version.ok) return found(`engine ${version.stdout.trim()} answers`);
    if (/permission denied/i.test(version.stderr)) {
      throw new Problem(`docker: this user may not talk to the engine; run as root, or add the user to the group docker and log in again`);
    }
    if (process.env["DOCKER_HOST"] !== undefined) {
      throw new Problem(`docker: DOCKER_HOST does not answer, got "${process.env["DOCKER_HOST"]}"; start that engine, or unset DOCKER_HOST`);
    }
    if (!machine.host.isRoot) throw new Problem(`docker: the engine does not run; start it: ${byHand(machine)}`);
    report.begin("the engine does not run; starting it");
    const started = await startEngine(machine, start, timeoutMs);
    return made(`engine ${started} started`);
  },
});

const byHand = (machine: Machine): string => (machine.host.hasSystemd ? "sudo systemctl start docker" : "sudo dockerd");

async function startEngine(machine: Machine, start: Detach, timeoutMs: number): Promise<string> {
  let log: string | undefined;
  if (machine.host.hasSystemd) {
    const result = await machine.run(["systemctl", "enable", "--now", "docker"]);
    if (!result.ok) throw new Problem(`docker: systemctl could not start it; see: journalctl -u docker\n${result.stderr.trim()}`);
  } else {
    mkdirSync(cacheRoot(), { recursive: true });
    log = join(cacheRoot(), "dockerd.log");
    start(daemon(), log);
  }
  const end = performance.now() + timeoutMs;
  while (performance.now() < end) {
    const version = await machine.run(engineVersion());
    if (version.ok) return version.stdout.trim();
    await sleep(250);
  }
  const why = log === undefined ? "see: journalctl -u docker" : `the end of ${log}:\n${readFileSync(log, "utf8").trim().split("\n").slice(-8).join("\n")}`;
  throw new Problem(`docker: the engine was started but does not answer after ${timeoutMs / 1000} s; ${why}`);
}
