import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import type { Argv } from "../core/run.ts";

export interface ProcessSpec {
  readonly name: string;
  readonly argv: Argv;
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** What the process prints goes to the end of this file. */
  readonly logFile: string;
  /** Signal that asks the process to finish what it does and end. */
  readonly stopSignal: NodeJS.Signals;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const LAST_LINES = 12;

/**
 * A process of the site, in a process group of its own: stopping or killing it takes its children along, and a
 * Ctrl-C in the terminal reaches only the command, which then ends the group in order.
 */
export class ManagedProcess {
  readonly spec: ProcessSpec;
  #child: ChildProcess | undefined;
  #exited: Promise<Exit> = Promise.resolve({ code: 0, signal: null });
  #stopping = false;
  #onUnexpectedExit: (exit: Exit) => void = () => undefined;

  constructor(spec: ProcessSpec) {
    this.spec = spec;
  }

  /** Process id while it runs. */
  get pid(): number | undefined {
    return this.running ? this.#child?.pid : undefined;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined;
  }

  /** Resolves when the process has ended. */
  get exited(): Promise<Exit> {
    return this.#exited;
  }

  /** Called when the process ends without {@link stop} or {@link kill} having been called. */
  onUnexpectedExit(listener: (exit: Exit) => void): void {
    this.#onUnexpectedExit = listener;
  }

  /** Starts it, or starts it again. */
  start(): void {
    const { argv, cwd, env, logFile } = this.spec;
    const [file, ...args] = argv;
    const log = openSync(logFile, "a");
    const child = spawn(file, args, { cwd, env, detached: true, stdio: ["ignore", log, log] });
    closeSync(log);
    this.#child = child;
    this.#stopping = false;
    this.#exited = new Promise((resolve) => {
      child.once("error", () => resolve({ code: null, signal: null }));
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    void this.#exited.then((exit) => {
      if (!this.#stopping && this.#child === child) this.#onUnexpectedExit(exit);
    });
  }

  /** Asks it to end, and kills the whole group when it has not after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    if (this.running) {
      this.#signal(this.spec.stopSignal);
      const timer = setTimeout(() => this.#signal("SIGKILL"), graceMs);
      await this.#exited;
      clearTimeout(timer);
    }
    // A master that was killed leaves its workers; there is no group any more when all went well.
    this.#signal("SIGKILL");
  }

  /** Kills it and its children at once, as a power cut would. */
  async kill(): Promise<void> {
    this.#stopping = true;
    this.#signal("SIGKILL");
    await this.#exited;
  }

  /** The end of what it printed. */
  lastLines(count: number = LAST_LINES): string {
    try {
      return readFileSync(this.spec.logFile, "utf8").trim().split("\n").slice(-count).join("\n");
    } catch {
      return "";
    }
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      // The group has its first process's id.
      process.kill(-pid, signal);
    } catch {
      // No such group: all of it has ended.
    }
  }
}
