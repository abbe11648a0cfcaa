import { createServer, type Server } from "node:http";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "../../client/cli.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-cli-"));
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
let server: Server;
let url: string;
let delayMs = 0;

/** A site that takes "good" and has no room for anything else. */
beforeAll(async () => {
  writeFileSync(join(folder, "good"), "good");
  writeFileSync(join(folder, "bad"), "bad!");
  server = createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += String(part);
    await sleep(delayMs);
    const good = /filename="(good|many\/\d\d)"/.test(text);
    response.writeHead(good ? 200 : 507).end(JSON.stringify(good ? { id: "1", name: "good", size: 4, checksums: { sha256: sha256("good") } } : { error: { code: "no_space", message: "full", hint: "wait" } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

async function* nothing(): AsyncIterable<Buffer> {}

async function slipway(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const surroundings = { columns: undefined, folder, env: {}, input: nothing, ask: async () => "", signal: new AbortController().signal };
  const code = await main(args, { out: (text) => (out += text), err: (text) => (err += text), ...surroundings });
  return { code, out, err };
}

describe("slipway push", () => {
  it("ends with 0 when every file arrived", async () => {
    const { code, out, err } = await slipway("push", "good", url);
    expect(code).toBe(0);
    expect(out).toMatch(/^ok {4}good: 4 B in 0 s.*\n {6}id 1, SHA-256 [0-9a-f]{64}\n$/);
    expect(err).toBe(`1 file, 4 B, to ${new URL(url).host}\n`);
  });

  it("sends the others when one fails, and ends with the code of the failure", async () => {
    const { code, out, err } = await slipway("push", "bad", "good", url);
    expect(code).toBe(7);
    expect(out).toMatch(/^ok {4}good/);
    expect(err).toContain("FAIL  bad: full (507 no_space); wait");
  });

  it("sends nothing when a file cannot be read, unless told to go on", async () => {
    const stopped = await slipway("push", "gone", "good", url);
    expect(stopped).toEqual({ code: 6, out: "", err: `skip  gone: does not exist\n1 file, 4 B, to ${new URL(url).host}\nNothing was sent. Add --skip-unreadable to send the others.\n` });
    expect((await slipway("push", "gone", url)).err).toMatch(/\nNothing was sent\.\n$/);
    const on = await slipway("push", "--skip-unreadable", "gone", "good", url);
    expect(on.code).toBe(6);
    expect(on.out).toMatch(/^ok {4}good/);
  });

  it("prints one JSON line for each file with --json, then a summary, and nothing else", async () => {
    const { code, out, err } = await slipway("push", "--json", "--parallel", "1", "good", "bad", url);
    expect(code).toBe(7);
    expect(err).toBe("");
    const lines = out.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([{ file: "good", ok: true, sha256: sha256("good") }, { file: "bad", ok: false, error: { kind: "server", code: "no_space", status: 507 } }, { summary: { files: 2, arrived: 1, failed: 1, exitCode: 7 } }]);
  });

  it.each([[["pull"]], [["completion", "csh"]], [["push"]], [["push", "--cacert", "/nowhere.pem", "good", "https://localhost"]]])("explains %j and ends with 2", async (args) => {
    const { code, out, err } = await slipway(...args);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(/got .*\nSee slipway push --help\.\n$/);
  });

  it("says once that a site cannot be reached, and ends with 4", async () => {
    const { code, out, err } = await slipway("push", "good", "bad", "http://127.0.0.1:1");
    expect({ code, out }).toEqual({ code: 4, out: "" });
    expect(err).toBe(
      "2 files, 8 B, to 127.0.0.1:1\nFAIL  nothing listens at 127.0.0.1:1; check the address and port, and that the site runs. Nothing was sent.\n0 of 2 files arrived, 0 B in 0 s; 2 not sent\n",
    );
    expect((await slipway("push", "good", "http://no-such-host.invalid")).err).toContain("FAIL  no-such-host.invalid ");
    expect((await slipway("push", "good", `https://${new URL(url).host}`)).err).toContain("does not speak HTTPS; check the port");
    const json = await slipway("push", "--json", "good", "bad", "http://127.0.0.1:1");
    expect(json.out.trim().split("\n").map((line) => JSON.parse(line) as unknown)).toMatchObject([{ error: { kind: "network", code: "unreachable", status: null } }, { summary: { files: 2, arrived: 0, failed: 0, exitCode: 4 } }]);
  });

  it("prints only failures with --quiet", async () => {
    expect(await slipway("push", "--quiet", "good", url)).toEqual({ code: 0, out: "", err: "" });
    const { code, out, err } = await slipway("push", "--quiet", "good", "bad", url);
    expect({ code, out }).toEqual({ code: 7, out: "" });
    expect(err).toBe("FAIL  bad: full (507 no_space); wait\n");
  });

  it("tells with --dry-run what it would send, and sends nothing", async () => {
    const unused = "https://localhost:1";
    expect(await slipway("push", "--dry-run", "good", "bad", unused)).toEqual({ code: 0, out: "good\nbad\n", err: "2 files, 8 B, to localhost:1\n" });
  });

  it("shows names in --dry-run without anything that would steer the terminal", async () => {
    writeFileSync(join(folder, "a\nb\u001b[2J"), "x");
    expect((await slipway("push", "--dry-run", "a\nb\u001b[2J", "https://localhost:1")).out).toBe("a?b?[2J\n");
  });

  it.each(["", "2>&1"])("stops when nobody reads what it prints any more, and does not end with 0 (%s)", async (redirected) => {
    mkdirSync(join(folder, "many"), { recursive: true });
    for (let at = 10; at < 40; at++) writeFileSync(join(folder, "many", `${at}`), "good");
    const program = join(import.meta.dirname, "../../client/slipway.mjs");
    delayMs = 30;
    const script = `{ "${process.execPath}" "${program}" push --parallel 1 many ${url} ${redirected}; echo $? > code; } | head -1`;
    await execa("sh", ["-c", script], { cwd: folder, env: { XDG_STATE_HOME: join(folder, "state") } });
    delayMs = 0;
    expect(readFileSync(join(folder, "code"), "utf8")).toBe("130\n");
  });

  it("runs as a program, from any folder", async () => {
    const program = join(import.meta.dirname, "../../client/slipway.mjs");
    const sent = await execa(process.execPath, [program, "push", "good", url], { cwd: folder, reject: false });
    expect(sent.exitCode, sent.stderr).toBe(0);
    expect(sent.stdout).toContain("id 1, SHA-256");
    const help = await execa(process.execPath, [program, "push", "--help"], { cwd: folder });
    expect(help.stdout).toContain("--cacert FILE");
  });
});
