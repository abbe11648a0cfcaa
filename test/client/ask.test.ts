/** The question for the token, on a terminal of its own (script of bsdutils). */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { until } from "../helpers/e2e-client.ts";

const program = join(import.meta.dirname, "../../client/slipway.mjs");
const folder = mkdtempSync(join(tmpdir(), "slipway-ask-"));
let server: Server;
let url: string;
let tokens: (string | undefined)[] = [];

/** A site that never answers. */
beforeAll(async () => {
  writeFileSync(join(folder, "file"), "x");
  server = createServer(({ headers }) => void tokens.push(headers.authorization));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/** Runs push and does something when it has asked. @returns its exit code and all that the terminal has shown */
async function ask(then: (terminal: { type: (keys: string) => void; shown: () => string }) => Promise<void>): Promise<[number, string]> {
  const child = spawn("script", ["-qefc", `exec ${process.execPath} ${program} push --ask-token file ${url}`, "/dev/null"], { cwd: folder });
  let shown = "";
  child.stdout.on("data", (text: Buffer) => (shown += String(text)));
  const ended = new Promise<number>((resolve) => child.on("close", resolve));
  try {
    await until("it asks", () => shown.includes("Token: "), 20);
    await then({ type: (keys) => void child.stdin.write(keys), shown: () => shown });
    return [await ended, shown];
  } finally {
    child.kill("SIGKILL");
  }
}

it("does not show the token, sends it, and leaves Ctrl-C as it was", async () => {
  tokens = [];
  const [code, shown] = await ask(async ({ type }) => {
    type("sekret\u007f\u007fcret\r");
    await until("the site was asked", () => tokens.length > 0, 20);
    type("\u0003");
  });
  expect(tokens).toEqual(["Bearer sekrcret"]);
  expect(shown).not.toContain("sek");
  expect(code, shown).toBe(130);
}, 60_000);

it("ends with 130 when it is stopped at the question", async () => {
  const [code, shown] = await ask(async ({ type }) => type("se\u0003"));
  expect([code, shown.split("Token: ")[1]]).toEqual([130, "\r\n"]);
}, 60_000);
