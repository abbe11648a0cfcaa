import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Cleanup } from "../../bench/cleanup.ts";
import { compareForm, compareStored } from "../../bench/ground.ts";
import { listenDirectives, refusal } from "../../bench/nginx.ts";
import type { Report } from "../../bench/report.ts";

const exec = promisify(execFile);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-bench-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("npm run bench", () => {
  it("measures, compares, reports, and leaves nothing behind", async () => {
    const json = join(folder, "report.json");
    const names = ["sink", "nginx body to file", "nginx form to file", "ours form sync"];
    const only = `^http/(${names.join("|")})$`;
    const args = ["scripts/bench.ts", "--no-hold", "--size", "8", "--rounds", "1", "--only", only, "--dir", folder, "--json", json];
    const { stdout, stderr } = await exec("node_modules/.bin/tsx", args, { env: { ...process.env, INIT_CWD: folder } });

    const report = JSON.parse(await readFile(json, "utf8")) as Report;
    expect(report).toMatchObject({ suite: "speed", sizeBytes: 8 * 1024 ** 2, rounds: 1, held: null, machine: { nginx: expect.stringMatching(/^\d+\.\d+\.\d+$/) } });
    if (report.suite !== "speed") throw new Error("not the suite that was asked for");
    expect(report.results.map(({ group, name, runs, failed, notAvailable }) => [group, name, runs.length, failed, notAvailable])).toEqual(
      names.map((name) => ["http", name, 1, undefined, undefined]),
    );
    for (const name of names) {
      expect(stdout).toContain(name);
      expect(stderr).toContain(`round 1/1  http/${name}: `);
    }
    expect(await readdir(folder)).toEqual(["report.json"]);
  }, 300_000);

  it("fails when a stored file is not what was sent", async () => {
    const [input, store] = [join(folder, "input"), await mkdtemp(join(folder, "store-"))];
    await writeFile(input, "abcabc");
    await writeFile(join(store, "1"), "abcabd");
    await expect(compareStored(store, input, 6)).rejects.toThrow("a file with other bytes");
    await expect(compareStored(store, input, 5)).rejects.toThrow("got a file of 6 bytes, 5 were sent");
    await expect(compareStored(store, input, 6, 2)).rejects.toThrow("got 1 files, 2 were sent");
    await writeFile(join(store, "1"), "abcabcab");
    await compareStored(store, input, 8);
  });

  it("fails when a stored form is not that of the file", async () => {
    const [input, store] = [join(folder, "input"), await mkdtemp(join(folder, "store-"))];
    const form = (bytes: string, end = "--") => writeFile(join(store, "1"), `--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n${bytes}\r\n--b${end}\r\n`);
    await writeFile(input, "abcabc");
    await form("abcabc");
    await compareForm(store, input);
    for (const bytes of ["abcabd", "abcab", "abcabca"]) {
      await form(bytes);
      await expect(compareForm(store, input), bytes).rejects.toThrow("a form with other bytes");
    }
    await form("abcabc", "");
    await expect(compareForm(store, input)).rejects.toThrow("a form with other bytes");
    await form("abcabc");
    await writeFile(join(store, "2"), "");
    await expect(compareForm(store, input)).rejects.toThrow("got 2 files, 1 was sent");
  });

  it("undoes everything, the last first, also when a step fails", async () => {
    const done: string[] = [];
    const cleanup = new Cleanup();
    cleanup.add(() => void done.push("first"));
    cleanup.add(() => Promise.reject(new Error("second")));
    cleanup.add(() => void done.push("third"));
    await expect(cleanup.run()).rejects.toThrow("second");
    expect(done).toEqual(["third", "first"]);
  });
});

describe("nginx in the benchmark", () => {
  const pem = { certificate: "c", key: "k" };

  it("speaks HTTP/2 by a parameter before 1.25.1 and by a directive since", () => {
    expect(listenDirectives("h2", 1, [1, 22, 1], pem)).toContain("ssl http2;");
    expect(listenDirectives("h2", 1, [1, 25, 0], pem)).toContain("ssl http2;");
    expect(listenDirectives("h2", 1, [1, 25, 1], pem)).toMatch(/ ssl;\n\s+http2 on;/);
    expect(listenDirectives("tls", 1, [1, 26, 3], pem)).not.toContain("http2");
    expect(listenDirectives("http", 1, [1, 22, 1], pem)).not.toContain("ssl");
  });

  it("tells why a configuration was refused in nginx's own words", () => {
    expect(refusal('nginx: [emerg] unknown directive "upload_raw" in /var/tmp/x/nginx.conf:33\nnginx: configuration file test failed')).toBe('unknown directive "upload_raw"');
  });
});
