import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { siteFolder } from "../../stacks/site-folder.ts";
import { records, send, type Target } from "../helpers/e2e-client.ts";
import { docker, inspect, resources, withoutDocker } from "../helpers/e2e-docker.ts";
import { remove, temporaryFolder } from "../helpers/e2e-files.ts";
import { freePort } from "../../scripts/local/ports.ts";

const reason = withoutDocker();
const skipped = reason === undefined ? "" : `: skipped, ${reason}`;
const checkout = join(import.meta.dirname, "../..");
const NAME = `sw-e2e-up-${process.pid}`;

describe.skipIf(reason !== undefined)(`the commands of an administrator${skipped}`, () => {
  const folder = temporaryFolder();
  const file = join(folder, "site.ts");
  const images = new Set<string>();
  let httpsPort: number;
  let target: Target;

  const write = (more: object = {}): void =>
    writeFileSync(file, `export default ${JSON.stringify({ name: NAME, listen: { httpsPort, httpPort: false }, ...more })};\n`);
  const command = (script: string, ...args: string[]) =>
    execa("npm", ["run", "-s", script, "--", ...args], { cwd: checkout, reject: false, stdin: "ignore", env: { SLIPWAY_SITE: file } });

  beforeAll(async () => {
    httpsPort = await freePort();
    write();
    const up = await command("up", "--placement", "docker");
    expect(up.exitCode, up.stderr).toBe(0);
    target = { url: `https://localhost:${httpsPort}`, ca: readFileSync(join(siteFolder(NAME), "tls/ca.pem"), "utf8") };
    expect(up.stderr).toMatch(/^done {2}probe {10}uploaded, recorded and downloaded a file with the same SHA-256/m);
    expect(up.stdout).toContain(`  site     ${target.url}\n`);
    expect(up.stdout).toContain("npm run -s push -- --cacert ");
    images.add((await inspect(`${NAME}-nginx`)).Image).add((await inspect(`${NAME}-service`)).Image);
  }, 900_000);

  afterAll(async () => {
    for (const container of await resources("container", `${NAME}-`)) await docker("container", "rm", "--force", "--volumes", container);
    for (const network of await resources("network", `${NAME}-`)) await docker("network", "rm", network);
    for (const volume of await resources("volume", `${NAME}-`)) await docker("volume", "rm", "--force", volume);
    for (const image of images) await execa("docker", ["image", "rm", "--force", "--no-prune", image], { reject: false });
    rmSync(siteFolder(NAME), { recursive: true, force: true });
    remove(folder);
  }, 120_000);

  it("change nothing when up is run a second time, and add no file", async () => {
    const before = [(await inspect(`${NAME}-nginx`)).State.StartedAt, (await records(target)).length];
    const up = await command("up");
    expect(up.exitCode, up.stderr).toBe(0);
    expect(up.stderr).toMatch(/^ok {4}deploy {9}nothing to change/m);
    expect(up.stderr).toMatch(/^ok {4}probe {10}the probe file is still there and whole/m);
    expect(up.stderr).not.toMatch(/^done /m);
    expect([(await inspect(`${NAME}-nginx`)).State.StartedAt, (await records(target)).length]).toEqual(before);
  }, 300_000);

  it("tell programs where the site is, and people how it is", async () => {
    const { exitCode, stdout } = await command("status", "--json");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      name: NAME, placement: "docker", url: target.url, ca: join(siteFolder(NAME), "tls/ca.pem"), healthy: true,
      containers: expect.arrayContaining([expect.objectContaining({ name: `${NAME}-nginx` }), expect.objectContaining({ name: `${NAME}-service` })]),
      data: { store: expect.stringContaining(`${NAME}-data`), database: expect.stringContaining(`${NAME}-database`) },
      versions: { provider: "4.6.0", docker: expect.any(String) },
    });
    const doctor = await command("doctor");
    expect(doctor.exitCode, doctor.stdout).toBe(0);
    expect(doctor.stdout).toMatch(/^ok {4}store .*owner 10001:10001, mode 2770$/m);
    expect(doctor.stdout).toMatch(/^ok {4}health/m);
  }, 60_000);

  it("deploy nothing onto a port that another program listens on", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    write({ listen: { httpsPort: port, httpPort: false } });
    const up = await command("up");
    await new Promise((resolve) => server.close(resolve));
    write();
    expect(up.exitCode).toBe(1);
    expect(up.stderr).toContain(`site.listen.httpsPort: another program listens on it, got ${port}; `);
    expect((await send(target, "/healthz")).status).toBe(200);
  }, 120_000);

  it("show the compiler's own error when a module does not compile, while what ran before still serves", async () => {
    const module = join(folder, "broken");
    mkdirSync(module);
    writeFileSync(join(module, "config"), 'ngx_addon_name=broken\nngx_module_type=HTTP\nngx_module_name=broken\nngx_module_srcs="$ngx_addon_dir/broken.c"\n. auto/module\n');
    writeFileSync(join(module, "broken.c"), "this is no C;\n");
    write({ images: { module: { kind: "folder", path: module } } });
    const up = await command("up");
    write();
    expect(up.exitCode).toBe(1);
    expect(up.stderr).toContain("deploy: failed; what ran before still serves; nothing was lost");
    expect(up.stderr).toMatch(/broken\.c:1:1: error: /);
    expect((await send(target, "/healthz")).status).toBe(200);
  }, 600_000);

  it("keep every file and record through down and up, and delete them only when told to", async () => {
    const before = (await records(target)).map(({ id }) => id);
    expect(before.length).toBeGreaterThan(0);
    const down = await command("down");
    expect(down.exitCode, down.stderr).toBe(0);
    expect([await resources("container", `${NAME}-`), await resources("network", `${NAME}-`)]).toEqual([[], []]);
    expect((await resources("volume", `${NAME}-`)).sort()).toEqual([`${NAME}-data`, `${NAME}-database`]);
    expect((await command("status", "--json")).exitCode).toBe(1);

    const up = await command("up");
    expect(up.exitCode, up.stderr).toBe(0);
    for (const image of [`${NAME}-nginx`, `${NAME}-service`]) images.add((await inspect(image)).Image);
    expect((await records(target)).map(({ id }) => id)).toEqual(expect.arrayContaining(before));
    expect((await send(target, `/files/${before[0]}`)).status).toBe(200);

    const unasked = await command("down", "--delete-data");
    expect(unasked.exitCode).toBe(1);
    expect(unasked.stderr).toContain("nobody is there to confirm; add --yes");
    expect((await send(target, "/healthz")).status).toBe(200);
    const deleted = await command("down", "--delete-data", "--yes");
    expect(deleted.exitCode, deleted.stderr).toBe(0);
    expect(deleted.stderr).toContain(`  Docker volume ${NAME}-data\n  Docker volume ${NAME}-database\n`);
    expect(await resources("volume", `${NAME}-`)).toEqual([]);
    expect(existsSync(join(siteFolder(NAME), "tls/ca.pem"))).toBe(true);
  }, 600_000);
});
