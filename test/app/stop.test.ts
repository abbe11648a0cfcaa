import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { fieldsOf, formBody, makeServiceFolder, secret, type ServiceFolder, writeIncoming } from "../helpers/service.ts";
import { serviceEnvironment, spawnService } from "../helpers/service-process.ts";

const root = join(import.meta.dirname, "..", "..");
const argv = ["--import", "tsx", join(root, "app", "main.ts")];
const folders: ServiceFolder[] = [];

function newFolder(): ServiceFolder {
  const folder = makeServiceFolder();
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder.root, { recursive: true, force: true });
});

it("runs from the sources, finishes what runs when it is told to stop, and takes nothing new", async () => {
  const folder = newFolder();
  const service = await spawnService(folder, argv, root);
  const { port, hostname } = new URL(service.url);
  const form = formBody(fieldsOf(writeIncoming(folder, "late"), "late.txt"));
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  const half = Math.floor(form.body.length / 2);
  socket.write(
    `POST /internal/complete HTTP/1.1\r\nHost: x\r\nX-Slipway-Secret: ${secret}\r\nX-Slipway-Files: 1\r\nContent-Type: ${form.headers["Content-Type"]}\r\nContent-Length: ${form.body.length}\r\n\r\n${form.body.slice(0, half)}`,
  );
  // An answer on another connection shows that the first half has been read by now.
  expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  service.child.kill("SIGTERM");
  while (!service.lines.some(({ msg }) => msg === "stopping")) await new Promise((resolve) => setImmediate(resolve));
  await expect(fetch(`${service.url}/healthz`)).rejects.toThrow();
  socket.write(form.body.slice(half));
  let answer = "";
  socket.on("data", (chunk: Buffer) => {
    answer += chunk.toString();
  });
  await once(socket, "close");
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer).toContain('"name":"late.txt"');
  expect(await service.ended).toBe(0);
  expect(service.lines.at(-1)).toMatchObject({ msg: "stopped" });
});

/** Runs the service with an environment that it cannot start with. */
async function fail(environment: Record<string, string>): Promise<{ code: number; stderr: string; stdout: string }> {
  const child = spawn(process.execPath, argv, { env: environment, cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  let stdout = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, stderr, stdout };
}

it("tells every problem of its environment and ends with 1", async () => {
  const { code, stderr } = await fail({ PATH: process.env["PATH"] ?? "", SLIPWAY_LISTEN: "nowhere" });
  expect(code).toBe(1);
  expect(stderr.trim().split("\n").map((line) => line.split(":")[0])).toEqual(["SLIPWAY_LISTEN", "SLIPWAY_STORE", "SLIPWAY_DATABASE", "SLIPWAY_SECRET_FILE"]);
});

it("says in one line that its port is taken", async () => {
  const first = await spawnService(newFolder(), argv, root);
  const { code, stderr } = await fail({ ...serviceEnvironment(newFolder()), SLIPWAY_LISTEN: new URL(first.url).host });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^slipway service: cannot start: .*EADDRINUSE.*\n$/);
  first.child.kill("SIGTERM");
  expect(await first.ended).toBe(0);
});
