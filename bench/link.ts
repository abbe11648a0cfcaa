import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Problem } from "../scripts/core/problem.ts";
import { type Argv, mustRun, run } from "../scripts/core/run.ts";
import type { Cleanup } from "./cleanup.ts";
import { NotAvailable } from "./contestant.ts";
import { compile } from "./programs.ts";

/** What the link is like; see link.c. */
export const LINK = {
  rateMbit: 1000,
  /** From one end to the other and back. */
  roundTripMs: 50,
  /** Half of what is under way in a round trip at full rate. */
  queueBytes: 3_125_000,
  /** Lost packets of a million, in each direction. */
  lossPpm: 1000,
} as const;

/** Addresses of the two ends, as link.c gives them. */
export const ADDRESS = { client: "10.77.0.1", server: "10.77.0.2" } as const;
export type End = keyof typeof ADDRESS;

/** Ways of a sender to find its speed that the suite compares: what most systems have, and what bears loss. */
export const CONGESTION_CONTROLS = ["cubic", "bbr"] as const;
export type CongestionControl = (typeof CONGESTION_CONTROLS)[number];

/** Packets of both directions since the last {@link Link.lose}. */
export interface LinkStats {
  readonly passed: number;
  readonly lost: number;
  /** By a queue that was full. */
  readonly dropped: number;
}

/** Two network namespaces and the line between them. */
export interface Link {
  /** A command line run in the namespace of an end. */
  at(end: End, argv: Argv): Argv;
  /** From now on so many packets of a million are lost, the same ones of each sequence for a seed. */
  lose(ppm: number, seed: number): Promise<void>;
  stats(): Promise<LinkStats>;
  /** How connections between the ends find their speed from now on. @throws NotAvailable when the kernel has it not */
  congestion(control: CongestionControl): Promise<void>;
  /** A setting of the client's kernel: "net.ipv4.tcp_wmem". */
  setting(name: string): Promise<string>;
}

/** Asks the program a line and takes its answer. */
function conversation(child: ChildProcess): (line: string | undefined) => Promise<string> {
  const waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  let errors = "";
  child.stderr!.on("data", (data: Buffer) => (errors += data.toString()));
  createInterface({ input: child.stdout! }).on("line", (line) => waiting.shift()?.resolve(line));
  child.once("exit", () => {
    for (const one of waiting) one.reject(new Problem(`link: has ended, ${errors.trim() || "without a word"}; it needs root and /dev/net/tun`));
  });
  return (line) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      if (line !== undefined) child.stdin!.write(`${line}\n`);
    });
}

/** Makes the link; `cleanup` removes it, and its namespaces go with the last process in them. */
export async function startLink(cleanup: Cleanup): Promise<Link> {
  const argv = [`${LINK.rateMbit}`, `${(LINK.roundTripMs * 1000) / 2}`, `${LINK.queueBytes}`];
  const child = spawn(await compile("link"), argv, { stdio: ["pipe", "pipe", "pipe"] });
  cleanup.add(() => void child.kill("SIGKILL"));
  const ask = conversation(child);
  const [, client, server] = (await ask(undefined)).split(" ");
  const namespace = { client, server };
  const at = (end: End, command: Argv): Argv => ["nsenter", `--net=/proc/${child.pid}/fd/${namespace[end]}`, "--", ...command];

  for (const end of ["client", "server"] as const) {
    // What the kernel learned of the other end in one upload must not help or hinder the next.
    await mustRun(run, "link", at(end, ["sysctl", "-q", "-w", "net.ipv4.tcp_no_metrics_save=1"]));
  }
  return {
    at,
    async lose(ppm, seed) {
      await ask(`loss ${ppm} ${seed}`);
    },
    async stats() {
      const [passed = 0, lost = 0, dropped = 0] = (await ask("stats")).split(" ").map(Number);
      return { passed, lost, dropped };
    },
    async congestion(control) {
      for (const end of ["client", "server"] as const) {
        // By the route: the kernel lets only the machine's own namespace choose any for all connections.
        const result = await run(at(end, ["ip", "route", "replace", "10.77.0.0/24", "dev", "link", "src", ADDRESS[end], "congctl", control]));
        if (!result.ok) throw new NotAvailable(`the kernel has no ${control}: ${result.stderr.trim()}`);
      }
    },
    async setting(name) {
      return (await mustRun(run, "link", at("client", ["sysctl", "-n", name]))).stdout.trim().replaceAll("\t", " ");
    },
  };
}
