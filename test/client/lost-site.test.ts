/** A site that goes away while many files are sent: one short end, and not the same failure for each of them. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { main } from "../../client/cli.ts";

const files = 40;
const sha256 = createHash("sha256").update("x").digest("hex");

describe("push to a site that goes away", () => {
  let folder: string;
  let server: Server;
  let host: string;
  /** Forms that are taken before the site breaks, and how it does. */
  let taken: number;
  let breakDown: "closes" | "fails" | "fails for one file" | "is full";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "slipway-lost-"));
    mkdirSync(join(folder, "run"));
    for (let at = 10; at < 10 + files; at++) writeFileSync(join(folder, "run", `${at}`), "x");
    process.env["XDG_STATE_HOME"] = join(folder, "state");
  });
  afterAll(() => {
    delete process.env["XDG_STATE_HOME"];
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    taken = 0;
    const own = createServer((request, response) => {
      request.resume().on("end", () => {
        const isForm = request.method === "POST";
        if (isForm) taken += 1;
        if (isForm && taken > 3 && breakDown === "is full") return void response.writeHead(507).end(JSON.stringify({ error: { code: "disk_full", message: "The disk is full.", hint: "Wait." } }));
        const isOver = isForm ? taken > 3 : taken > 3 && !["fails for one file", "is full"].includes(breakDown);
        if (isOver && breakDown === "closes") return void setTimeout(() => (own.close(), own.closeAllConnections()), 50);
        if (isOver && !(breakDown === "fails for one file" && taken > 4)) return void response.writeHead(502).end();
        if (!isForm) return void response.writeHead(404).end();
        response.end(JSON.stringify({ id: "1", name: "x", size: 1, checksums: { sha256 } }));
      });
    });
    server = own;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(join(folder, "state"), { recursive: true, force: true });
  });

  async function push(...options: string[]): Promise<{ code: number; out: string; err: string }> {
    let [out, err] = ["", ""];
    const input = async function* (): AsyncGenerator<Buffer> {};
    const surroundings = { columns: undefined, folder, env: {}, input, ask: async () => "", signal: new AbortController().signal };
    const code = await main(["push", ...options, "run", `http://${host}`], { out: (text) => (out += text), err: (text) => (err += text), ...surroundings });
    return { code, out, err };
  }

  it.each([
    ["closes", "4", 4, "HOST closed the connection before it answered"],
    ["closes", "1", 4, "HOST closed the connection before it answered"],
    ["fails", "4", 7, "the site answered 502"],
  ] as const)("%s, with %s at once: ends with one line, what is there, and how to go on", async (how, parallel, exit, why) => {
    breakDown = how;
    const { code, out, err } = await push("--parallel", parallel);
    expect(code).toBe(exit);
    expect(out.match(/^ok /gm)).toHaveLength(3);
    const [plan, failed, summary, advice, end] = err.split("\n");
    expect(plan).toMatch(/^40 files, /);
    expect(failed).toMatch(/^FAIL {2}the site does not answer any more: /);
    if (parallel === "1") expect(failed).toContain(why.replace("HOST", host));
    expect(summary).toMatch(/^3 of 40 files arrived, .*; 37 not sent$/);
    expect(advice).toBe("Run the same command again when the site is back: files that were under way begin anew, as this site cannot go on.");
    expect(end).toBe("");
  });

  it("ends as shortly when the site has no room for a small file", async () => {
    breakDown = "is full";
    const { code, err } = await push("--parallel", "1");
    expect(code).toBe(7);
    expect(err.split("\n").slice(1)).toEqual([
      "FAIL  the site takes no more: The disk is full. What it does not have yet was not tried again.",
      expect.stringMatching(/^3 of 40 files arrived, .*; 37 not sent$/) as string,
      "Run the same command again when the site has room again: files that were under way begin anew, as this site cannot go on.",
      "",
    ]);
  });

  it("tells programs once, without a file", async () => {
    breakDown = "closes";
    const { code, out, err } = await push("--json", "--parallel", "4");
    expect([code, err]).toEqual([4, ""]);
    const lines = out.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ ok }) => ok === true)).toHaveLength(3);
    expect(lines.slice(3)).toMatchObject([{ error: { kind: "network" } }, { summary: { files: 40, arrived: 3, failed: 0, exitCode: 4 } }]);
  });

  it("is not thought gone when one file alone fails", async () => {
    breakDown = "fails for one file";
    const { code, err } = await push("--parallel", "1");
    expect(code).toBe(7);
    expect(err.match(/^FAIL .*$/gm)).toEqual(["FAIL  run/13: the site answered 502 (502 refused); ask the site's administrator"]);
    expect(err).toMatch(/\n39 of 40 files arrived, .*; 1 failed\n$/);
  });

  it("goes on with what was not sent", async () => {
    breakDown = "closes";
    await push("--parallel", "4");
    const { err } = await push("--parallel", "4");
    expect(err).toContain("37 files, 37 B, to ");
    expect(err).toContain("note  3 files arrived in an earlier run and are left out");
  });
});
