import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { json, send, until } from "../helpers/e2e-client.ts";
import { remove, sha256, temporaryFolder } from "../helpers/e2e-files.ts";
import { type LocalTestSite, startTestSite, withoutLocal } from "../helpers/e2e-local.ts";

const MiB = 1024 * 1024;

/** The client that the site serves, fetched with curl and run by itself. */
describe.skipIf(withoutLocal())("e2e: the push command", () => {
  let site: LocalTestSite;
  let folder: string;

  beforeAll(async () => {
    folder = temporaryFolder();
    site = await startTestSite({ upload: { path: "/upload", checksums: ["sha256"], maxFileSize: "64m" } });
    writeFileSync(join(folder, "ca.pem"), site.ca);
    await execa("curl", ["-sSfO", "--cacert", "ca.pem", `${site.url}/slipway.mjs`], { cwd: folder });
    mkdirSync(join(folder, "run", "raw"), { recursive: true });
    for (const path of ["run/a.txt", "run/raw/1.dat", "run/raw/ümlaut 2.dat"]) writeFileSync(join(folder, path), `content of ${path}\n`);
    symlinkSync("a.txt", join(folder, "run", "link"));
  }, 120_000);
  afterAll(async () => {
    await site?.stop();
    remove(folder);
  });
  beforeEach(() => site.clear());

  const env = (): NodeJS.ProcessEnv => ({ ...process.env, XDG_STATE_HOME: join(folder, "state"), SLIPWAY_TOKEN: "" });
  const run = async (args: readonly string[], input = "") => {
    const { exitCode, stdout, stderr } = await execa(process.execPath, ["slipway.mjs", "push", ...args], { cwd: folder, env: env(), reject: false, input });
    return { exitCode, stdout, stderr };
  };
  const push = (args: readonly string[], input?: string) => run(["--cacert", "ca.pem", ...args, site.url], input);

  interface Listed {
    readonly name: string;
    readonly folder: string | null;
    readonly description: string | null;
    readonly checksums: { readonly sha256: string };
  }
  const listed = async (): Promise<Listed[]> => json<{ uploads: Listed[] }>(await send(site, "/api/uploads")).uploads;
  const paths = async (): Promise<string[]> => (await listed()).map(({ name, folder: below }) => (below === null ? name : `${below}/${name}`)).sort();

  it.each(["command-push", "command-curl"])("stands on the page, and works word for word where the CA is trusted: %s", async (id) => {
    const page = (await send(site, "/", { headers: { Accept: "text/html" } })).text;
    const shown = new RegExp(`<code id="${id}">([^<]+)</code>`).exec(page)?.[1];
    const place = join(folder, id);
    mkdirSync(place);
    const bytes = randomBytes(2 * MiB);
    writeFileSync(join(place, "result.dat"), bytes);
    const trusting = { ...env(), CURL_CA_BUNDLE: join(folder, "ca.pem"), NODE_EXTRA_CA_CERTS: join(folder, "ca.pem") };
    await execa("sh", ["-ec", shown!.replaceAll("FILE", "result.dat")], { cwd: place, env: trusting });
    expect(await listed()).toMatchObject([{ name: "result.dat", checksums: { sha256: sha256(bytes) } }]);
  });

  it("is served as a script that has not changed when it is asked for again", async () => {
    const first = await send(site, "/slipway.mjs");
    expect(first.headers).toMatchObject({ "content-type": "text/javascript; charset=utf-8", "cache-control": "no-cache" });
    expect(first.text).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(first.text).not.toMatch(/from "(?!node:)/);
    expect((await send(site, "/slipway.mjs", { headers: { "If-None-Match": String(first.headers["etag"]) } })).status).toBe(304);
  });

  it("sends a folder with its structure, which the list shows, and reports the link", async () => {
    const { exitCode, stderr } = await push(["--description", "run 17", "run"]);
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain("skip  run/link: is a symbolic link, which is not followed");
    expect(stderr).toContain("3 files, ");
    expect(await paths()).toEqual(["run/a.txt", "run/raw/1.dat", "run/raw/ümlaut 2.dat"]);
    expect((await listed()).every(({ description }) => description === "run 17")).toBe(true);
    expect((await send(site, "/list")).text).toContain("run/raw/");
  });

  it("sends standard input under the name that it is given", async () => {
    const text = "x".repeat(3 * MiB);
    const { exitCode, stderr } = await push(["--name", "data.tar", "-"], text);
    expect(exitCode, stderr).toBe(0);
    expect(await listed()).toMatchObject([{ name: "data.tar", checksums: { sha256: createHash("sha256").update(text).digest("hex") } }]);
  });

  it("writes a manifest that sha256sum takes, and reads it", async () => {
    expect((await push(["--write-manifest", "SUMS", "run"])).exitCode).toBe(0);
    await execa("sha256sum", ["--strict", "-c", "SUMS"], { cwd: folder });
    site.clear();
    const again = await push(["--manifest", "SUMS"]);
    expect(again.exitCode, again.stderr).toBe(0);
    expect(await paths()).toEqual(["run/a.txt", "run/raw/1.dat", "run/raw/ümlaut 2.dat"]);
    const onStdout = await push(["--write-manifest", "-", "run/a.txt"]);
    expect(onStdout.stdout).toBe(`${sha256(readFileSync(join(folder, "run/a.txt")))}  run/a.txt`);
  });

  it("has the site refuse a file that is not what the manifest says, and ends with 5", async () => {
    writeFileSync(join(folder, "WRONG"), `${sha256(readFileSync(join(folder, "run/a.txt")))}  run/a.txt\n${"ab".repeat(32)}  run/raw/1.dat\n`);
    const { exitCode, stderr } = await push(["--manifest", "WRONG"]);
    expect(exitCode, stderr).toBe(5);
    expect(stderr).toContain("FAIL  run/raw/1.dat: ");
    expect(await paths()).toEqual(["run/a.txt"]);
    expect(site.kept().files).toHaveLength(1);
  });

  it("ends with the code of what went wrong", async () => {
    const big = join(folder, "big.dat");
    writeFileSync(big, Buffer.alloc(65 * MiB));
    expect((await push(["big.dat"])).exitCode).toBe(3);
    remove(big);
    expect((await push(["gone"])).exitCode).toBe(6);
    expect((await run(["run/a.txt", "https://localhost:1"])).exitCode).toBe(4);
    expect(await run(["run/a.txt", site.url])).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("--cacert FILE") as unknown });
    expect((await run(["run/a.txt", "localhost"])).exitCode).toBe(2);
    expect(await run(["--cacert", "ca.pem", "run", `${site.url}/nowhere`])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`got "${site.url}/nowhere"; give ${site.url}/ or ${site.url}/upload`) as unknown });
    expect(site.kept().rows).toEqual([]);
  });

  it.each(["/upload", "/upload/"])("takes the address that the page shows, %s, for the site", async (path) => {
    const { exitCode, stderr } = await run(["--cacert", "ca.pem", "run", `${site.url}${path}`]);
    expect(exitCode, stderr).toBe(0);
    expect(await paths()).toEqual(["run/a.txt", "run/raw/1.dat", "run/raw/ümlaut 2.dat"]);
  });

  it("stops at Ctrl-C with 130, says how to go on, and goes on", async () => {
    mkdirSync(join(folder, "many"), { recursive: true });
    const contents = [1, 2, 3, 4].map((number) => ({ name: `many/${number}.dat`, bytes: randomBytes(4 * MiB) }));
    for (const { name, bytes } of contents) writeFileSync(join(folder, name), bytes);
    const args = ["slipway.mjs", "push", "--cacert", "ca.pem", "--parallel", "1", "--limit-rate", "4m", "many", site.url];
    const first = spawn(process.execPath, args, { cwd: folder, env: env() });
    let [out, err] = ["", ""];
    first.stdout.on("data", (text: Buffer) => (out += String(text)));
    first.stderr.on("data", (text: Buffer) => (err += String(text)));
    await until("a file has arrived", () => out.includes("ok    many/1.dat"));
    first.kill("SIGINT");
    expect(await new Promise((resolve) => first.on("close", resolve))).toBe(130);
    expect(err).toContain("Run the same command again: it goes on where it stopped.");
    const before = site.kept().rows.length;
    expect(before).toBeLessThan(4);
    const second = await push(["many"]);
    expect(second.exitCode, second.stderr).toBe(0);
    expect(second.stderr).toContain(`arrived in an earlier run and ${before === 1 ? "is" : "are"} left out`);
    expect((await listed()).map(({ checksums }) => checksums.sha256).sort()).toEqual(contents.map(({ bytes }) => sha256(bytes)).sort());
    // The run has ended: the next one sends all of them.
    expect((await push(["many"])).exitCode).toBe(0);
    expect(site.kept().rows).toHaveLength(8);
  }, 60_000);

  it("keeps what it remembers to its user", async () => {
    await push(["run"]);
    const state = join(folder, "state", "slipway");
    expect(existsSync(state) ? statSync(state).mode & 0o077 : 0).toBe(0);
  });

  it.skipIf(process.getuid?.() === 0)("lists what it may not read, and sends the others when told to", async () => {
    mkdirSync(join(folder, "closed"), { recursive: true });
    writeFileSync(join(folder, "closed", "open.txt"), "open");
    writeFileSync(join(folder, "closed", "shut.txt"), "shut");
    chmodSync(join(folder, "closed", "shut.txt"), 0);
    expect(await push(["closed"])).toMatchObject({ exitCode: 6, stderr: expect.stringContaining("shut.txt: may not be read by this user") as unknown });
    expect((await push(["--skip-unreadable", "closed"])).exitCode).toBe(6);
    expect(await paths()).toEqual(["closed/open.txt"]);
  });
});
