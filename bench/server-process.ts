import { connect } from "node:net";
import { join } from "node:path";
import { Problem } from "../scripts/core/problem.ts";
import type { Argv } from "../scripts/core/run.ts";
import { ManagedProcess } from "../scripts/local/managed-process.ts";

const START_MS = 20_000;
const STOP_MS = 3_000;

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** Starts a server and waits until it listens. @throws Problem with the last lines that it printed */
export async function startServer(name: string, argv: Argv, folder: string, port: number): Promise<{ readonly pid: number; stop(): Promise<void> }> {
  const server = new ManagedProcess({
    name,
    argv,
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/" },
    logFile: join(folder, "output.log"),
    stopSignal: "SIGTERM",
  });
  server.start();
  const until = performance.now() + START_MS;
  while (server.running && performance.now() < until && !(await listens(port))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { pid } = server;
  if (pid === undefined || !(await listens(port))) {
    await server.stop(0);
    throw new Problem(`${name}: did not start\n${server.lastLines()}`);
  }
  return { pid, stop: () => server.stop(STOP_MS) };
}
