import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Host } from "../../scripts/core/host.ts";
import type { Machine } from "../../scripts/core/machine.ts";
import type { Argv, RunResult } from "../../scripts/core/run.ts";
import { dockerStep } from "../../scripts/steps/docker.ts";
import { missingPackages, packagesStep, withoutStartingServices } from "../../scripts/steps/packages.ts";
import { registryAnswers } from "../../scripts/steps/provider.ts";
import { isTaken } from "../../scripts/steps/ports.ts";
import { storeStep } from "../../scripts/steps/store.ts";
import type { SiteSettings } from "../../stacks/settings.ts";

const DEBIAN_ROOT: Host = { isRoot: true, isDebian: true, hasSystemd: false, architecture: "amd64" };
const report = { begin: () => undefined, warn: () => undefined };

/** A machine of a certain make: what is installed, and how commands end, by the start of their line. */
function machine(host: Partial<Host>, programs: readonly string[], answer: (line: string) => Partial<RunResult> = () => ({})): Machine & { readonly ran: string[] } {
  const ran: string[] = [];
  return {
    ran,
    host: { ...DEBIAN_ROOT, ...host },
    find: async (program) => (programs.includes(program) ? `/usr/bin/${program}` : undefined),
    run: async (argv: Argv) => {
      ran.push(argv.join(" "));
      const result = { ok: true, exitCode: 0, stdout: "", stderr: "", timedOut: false, command: argv.join(" "), ...answer(argv.join(" ")) };
      return result;
    },
  };
}

describe("packages", () => {
  const need = { program: "dockerd", packages: ["docker.io", "iptables"] };

  it("are left alone when the program is there", async () => {
    const host = machine({}, ["dockerd"]);
    expect(await packagesStep(host, [need]).run(report)).toEqual({ state: "found", text: "all there" });
    expect(host.ran).toEqual([]);
  });

  it.each([
    [{ isRoot: false }, "packages: missing, docker.io iptables; run: sudo apt-get update && sudo apt-get install --no-install-recommends docker.io iptables"],
    [{ isDebian: false }, "packages: missing, docker.io iptables; install what your distribution calls these (Debian's names are shown)"],
  ])("are named with the command where this may not install: %j", async (host, message) => {
    await expect(packagesStep(machine(host, []), [need]).run(report)).rejects.toThrow(message);
  });

  it("are asked of dpkg where no program tells", async () => {
    const host = machine({}, [], () => ({ ok: false, stdout: "ii  gcc\n" }));
    expect(await missingPackages(host, [{ packages: ["gcc", "nginx-dev"] }])).toEqual(["nginx-dev"]);
  });
});

describe("keeping services from being started by an installation", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "slipway-policy-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("says no while packages are installed, and nothing afterwards", async () => {
    const policy = join(folder, "policy-rc.d");
    await withoutStartingServices(async () => {
      expect(readFileSync(policy, "utf8")).toBe("#!/bin/sh\nexit 101\n");
      expect(statSync(policy).mode & 0o777).toBe(0o755);
    }, policy);
    expect(existsSync(policy)).toBe(false);
  });

  it("puts a policy of the machine's own back, also when the installation fails", async () => {
    const policy = join(folder, "policy-rc.d");
    writeFileSync(policy, "#!/bin/sh\nexit 0\n");
    await expect(withoutStartingServices(() => Promise.reject(new Error("no space")), policy)).rejects.toThrow("no space");
    expect(readFileSync(policy, "utf8")).toBe("#!/bin/sh\nexit 0\n");
  });
});

describe("the Docker engine", () => {
  const dead = (line: string): Partial<RunResult> => (line.startsWith("docker version") ? { ok: false, stderr: "Cannot connect to the Docker daemon" } : {});

  it("is used when it answers", async () => {
    const host = machine({}, ["docker"], () => ({ stdout: "20.10.24\n" }));
    expect(await dockerStep(host).run(report)).toEqual({ state: "found", text: "engine 20.10.24 answers" });
  });

  it("is started on its own where there is no init system, and waited for", async () => {
    let started: readonly string[] = [];
    const host = machine({}, ["docker"], (line) => (started.length === 0 ? dead(line) : { stdout: "20.10.24\n" }));
    const result = await dockerStep(host, (argv) => (started = argv)).run(report);
    expect(result).toEqual({ state: "made", text: "engine 20.10.24 started" });
    expect(started).toEqual(["setsid", "dockerd"]);
  });

  it("is started by systemd where that runs", async () => {
    const host: Machine & { readonly ran: string[] } = machine({ hasSystemd: true }, ["docker"], (line) => (host.ran.includes("systemctl enable --now docker") ? { stdout: "28.0\n" } : dead(line)));
    await dockerStep(host, () => expect.unreachable("systemd starts it")).run(report);
    expect(host.ran[1]).toBe("systemctl enable --now docker");
  });

  it.each([
    [{ isRoot: false }, dead, /the engine does not run; start it: sudo dockerd$/],
    [{ isRoot: false, hasSystemd: true }, dead, /start it: sudo systemctl start docker$/],
    [{ isRoot: false }, () => ({ ok: false, stderr: "permission denied while trying to connect" }), /add the user to the group docker/],
  ])("is told how to start or use by hand: %j", async (host, answer, message) => {
    await expect(dockerStep(machine(host, ["docker"], answer)).run(report)).rejects.toThrow(message);
  });

  it("that does not come up is a problem with the end of its log", async () => {
    const step = dockerStep(machine({ hasSystemd: true }, ["docker"], dead), () => undefined, 300);
    await expect(step.run(report)).rejects.toThrow(/does not answer after 0.3 s; see: journalctl -u docker/);
  });
});

describe("a port", () => {
  it("is taken while something listens on it", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    expect(await isTaken("127.0.0.1", port)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    expect(await isTaken("127.0.0.1", port)).toBe(false);
  });
});

it("does not take a registry that nobody answers for one that is there", async () => {
  expect(await registryAnswers("https://127.0.0.1:1/.well-known/terraform.json")).toBe(false);
});

describe("the directory of a bound store", () => {
  const storage = { uid: process.getuid!(), gid: process.getgid!(), directoryMode: "2770" } as SiteSettings["storage"];
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "slipway-store-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is made for the site's user where it is missing, and left alone where it is there", async () => {
    const path = join(folder, "a/b");
    expect(await storeStep(machine({}, []), path, storage).run(report)).toMatchObject({ state: "made" });
    expect((statSync(path).mode & 0o7777).toString(8)).toBe("2770");
    chmodSync(path, 0o700);
    expect(await storeStep(machine({}, []), path, storage).run(report)).toMatchObject({ state: "found" });
    expect((statSync(path).mode & 0o7777).toString(8)).toBe("700");
  });

  it("is a problem with the command to run where this user may not make it, or where it is a file", async () => {
    const path = join(folder, "store");
    await expect(storeStep(machine({ isRoot: false }, []), path, storage).run(report)).rejects.toThrow(`run: sudo install -d -o ${storage.uid} -g ${storage.gid} -m 2770 ${path}`);
    writeFileSync(path, "");
    await expect(storeStep(machine({}, []), path, storage).run(report)).rejects.toThrow("not a directory");
  });
});
