import { appendFileSync, cpSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SiteProps } from "../../stacks/props.ts";
import { json, post, randomFile, records, send, type UploadAnswer } from "../helpers/e2e-client.ts";
import { docker, inspect, logs, processes, processStatus, resources, volumeFolder, withoutDocker } from "../helpers/e2e-docker.ts";
import { filesBelow, remove, sha256, sha256OfFile, temporaryFolder, tree, wrongModes } from "../helpers/e2e-files.ts";
import { deployDockerSite, type DeployedSite, tryToDeploy } from "../helpers/e2e-site.ts";

const reason = withoutDocker();
const skipped = reason === undefined ? "" : `: skipped, ${reason}`;
const NO_CHANGES = /No changes\. Your infrastructure matches the configuration\./;

async function upload(site: DeployedSite, name: string, size = 300_000): Promise<UploadAnswer> {
  const file = randomFile(name, size);
  const answer = await post(site, [file, { name: "description", content: `about ${name}` }]);
  expect(answer.status, answer.text).toBe(200);
  const uploaded = json<UploadAnswer>(answer);
  expect(uploaded.checksums["sha256"]).toBe(sha256(file.content));
  return uploaded;
}

/** Every upload so far is listed, and comes back byte for byte. */
async function expectKept(site: DeployedSite, uploads: readonly UploadAnswer[]): Promise<void> {
  const listed = await records(site);
  expect(listed.map(({ id }) => id).sort()).toEqual(uploads.map(({ id }) => id).sort());
  for (const { id, checksums } of uploads) {
    const download = await send(site, `/files/${id}`);
    expect(download.status).toBe(200);
    expect(sha256(download.body)).toBe(checksums["sha256"]);
  }
}

describe.skipIf(reason !== undefined)(`the life of a deployed site${skipped}`, () => {
  let folder: string;
  let module: string;
  let props: SiteProps;
  const uploads: UploadAnswer[] = [];
  let site: DeployedSite;
  let store: string;
  const both = async () => ({ nginx: await inspect(site.nginx), service: await inspect(site.service) });

  beforeAll(async () => {
    folder = temporaryFolder();
    module = join(folder, "module");
    props = { images: { module: { kind: "folder", path: module } } };
    cpSync(join(import.meta.dirname, "../../module"), module, { recursive: true });
    site = await deployDockerSite(props);
    store = await volumeFolder(site.dataVolume);
  }, 600_000);
  afterAll(async () => {
    await site?.remove();
    remove(folder);
  }, 120_000);

  it("has every directory with its owner and mode before the first upload", () => {
    const directories = tree(store).map(({ path }) => path);
    const digits = Array.from({ length: 10 }, (_, digit) => `incoming/${digit}`);
    expect(directories).toEqual([".", "files", "incoming", ...digits, "incoming/sessions"]);
    expect(wrongModes(store, "10001:10001")).toEqual([]);
  });

  it("takes an upload and keeps its modes exact", async () => {
    uploads.push(await upload(site, "first.bin"));
    expect(wrongModes(store, "10001:10001")).toEqual([]);
    await expectKept(site, uploads);
  });

  it("plans no changes once deployed, and a second deploy changes nothing", async () => {
    expect((await site.cdktf("diff")).output).toMatch(NO_CHANGES);
    const before = await both();
    expect((await site.cdktf("deploy")).output).toMatch(NO_CHANGES);
    const after = await both();
    expect([after.nginx.State.StartedAt, after.service.State.StartedAt]).toEqual([before.nginx.State.StartedAt, before.service.State.StartedAt]);
  }, 180_000);

  it("runs both containers without root, capabilities or a writable root", async () => {
    for (const container of [site.nginx, site.service]) {
      const { Config, HostConfig } = await inspect(container);
      expect(Config.User).toBe("10001:10001");
      expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, Privileged: false, CapDrop: ["ALL"] });
      expect(HostConfig.CapAdd ?? []).toEqual([]);
      expect(HostConfig.SecurityOpt).toEqual([expect.stringMatching(/^no-new-privileges/)]);
      for (const pid of await processes(container)) {
        expect(processStatus(pid, "Uid")).toBe("10001\t10001\t10001\t10001");
        expect(processStatus(pid, "Gid")).toBe("10001\t10001\t10001\t10001");
        for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) expect(processStatus(pid, set)).toBe("0000000000000000");
        expect(processStatus(pid, "NoNewPrivs")).toBe("1");
      }
      const { exitCode, stderr } = await execa("docker", ["exec", container, "sh", "-c", "echo > /etc/x"], { reject: false });
      expect(exitCode).not.toBe(0);
      expect(stderr).toMatch(/Read-only file system/);
    }
  });

  it("keeps the service where only nginx reaches it", async () => {
    const { nginx, service } = await both();
    expect(Object.values(service.NetworkSettings.Ports).filter(Boolean)).toEqual([]);
    const [internal, ...others] = Object.keys(service.NetworkSettings.Networks);
    expect(others).toEqual([]);
    expect(await docker("network", "inspect", "--format", "{{.Internal}}", internal!)).toBe("true");
    expect(Object.values(nginx.NetworkSettings.Ports).flat().filter(Boolean).map((port) => port?.HostIp)).toEqual(["127.0.0.1", "127.0.0.1"]);

    const edge = Object.keys(nginx.NetworkSettings.Networks).find((network) => network !== internal);
    const address = service.NetworkSettings.Networks[internal!]!.IPAddress;
    const script = `for host in service ${address}; do timeout 3 bash -c "exec 3<>/dev/tcp/$host/8080" && echo "reached $host"; done; exit 0`;
    expect(await docker("run", "--rm", "--network", edge!, "--entrypoint", "bash", nginx.Image, "-c", script)).toBe("");
    // The host itself has an address on every bridge of its own, so what keeps its other users out is the secret.
    const { stdout } = await execa("curl", ["--silent", "--max-time", "5", "--output", "/dev/null", "--write-out", "%{http_code}", `http://${address}:8080/api/uploads`], { reject: false });
    expect(stdout).toBe("403");
  });

  it("keeps secrets out of the state, the images and the logs", async () => {
    const secret = readFileSync(join(site.folder, "secrets/secret"), "utf8").trim();
    const key = readFileSync(join(site.folder, "tls/site.key"), "utf8").split("\n")[1]!;
    const caKey = readFileSync(join(site.folder, "tls/ca.key"), "utf8").split("\n")[1]!;
    expect(secret).toMatch(/^[0-9a-f]{32,}$/);
    const { nginx, service } = await both();
    for (const needle of [secret, key, caKey]) {
      expect(readFileSync(join(site.folder, "terraform.tfstate"), "utf8").includes(needle)).toBe(false);
      expect(JSON.stringify([nginx, service]).includes(needle)).toBe(false);
      for (const container of [site.nginx, site.service]) expect((await logs(container)).includes(needle)).toBe(false);
    }
    writeFileSync(join(folder, "needles"), [secret, key, caKey].join("\n"));
    for (const image of [nginx.Image, service.Image]) {
      const count = await execa("bash", ["-c", 'set -o pipefail; docker save "$1" | { grep -acFf "$2" || true; }', "bash", image, join(folder, "needles")]);
      expect(count.stdout).toBe("0");
    }
  });

  it("replaces nothing but nginx when a prop of the upload changes", async () => {
    const before = await both();
    const { output } = await site.change({ ...props, upload: { maxFileSize: "1m" } });
    expect(output).toMatch(/Apply complete!/);
    const after = await both();
    expect(after.nginx.Id).not.toBe(before.nginx.Id);
    expect(after.service.Id).toBe(before.service.Id);
    expect((await post(site, [randomFile("big.bin", 1_100_000)])).status).toBe(413);
    uploads.push(await upload(site, "second.bin"));
    await expectKept(site, uploads);
  }, 180_000);

  it("makes the directories of a second hash level on a site with data", async () => {
    const before = await both();
    await site.change({ ...props, storage: { hashLevels: [1, 2] } });
    const after = await both();
    expect(after.nginx.Id).not.toBe(before.nginx.Id);
    expect(after.service.Id).toBe(before.service.Id);
    const incoming = tree(join(store, "incoming")).filter(({ kind }) => kind === "directory");
    expect(incoming).toHaveLength(1 + 10 + 1000 + 1);
    uploads.push(await upload(site, "third.bin"));
    expect(wrongModes(store, "10001:10001")).toEqual([]);
    await expectKept(site, uploads);
  }, 180_000);

  it("builds nothing but nginx's image again when the module's source changes", async () => {
    const before = await both();
    const source = join(module, "src", filesBelow(join(module, "src")).find((path) => path.endsWith("_module.c"))!);
    // A comment alone would compile to the same bytes, and so to the same image.
    appendFileSync(source, '\nstatic const char changed[] __attribute__((used)) = "changed";\n');
    await site.change({ ...props, storage: { hashLevels: [1, 2] } });
    const after = await both();
    expect(after.nginx.Image).not.toBe(before.nginx.Image);
    expect(after.service.Image).toBe(before.service.Image);
    expect(after.service.Id).toBe(before.service.Id);
    uploads.push(await upload(site, "fourth.bin"));
    await expectKept(site, uploads);
  }, 300_000);

  it("finds every file and record again after destroy and deploy", async () => {
    const files = filesBelow(store);
    const destroyed = await site.cdktf("destroy");
    expect(destroyed.exitCode, destroyed.output).toBe(0);
    expect(await resources("container", site.name)).toEqual([]);
    expect(await resources("network", site.name)).toEqual([]);
    expect(filesBelow(store)).toEqual(files);

    const deployed = await site.cdktf("deploy");
    expect(deployed.exitCode, deployed.output).toBe(0);
    await site.waitUntilHealthy();
    await expectKept(site, uploads);
    uploads.push(await upload(site, "fifth.bin"));
  }, 240_000);
});

describe.skipIf(reason !== undefined)(`a site on a folder of the host${skipped}`, () => {
  let folder: string;
  let path: string;
  let site: DeployedSite;
  beforeAll(async () => {
    folder = temporaryFolder();
    path = join(folder, "store");
    mkdirSync(path);
    chownSync(path, 20001, 20002);
    site = await deployDockerSite({ storage: { place: { kind: "bind", path }, uid: 20001, gid: 20002, directoryMode: "2750", fileMode: "0640" } });
  }, 600_000);
  afterAll(async () => {
    await site?.remove();
    remove(folder);
  }, 120_000);

  it("has the owner and modes that were asked for, and the file", async () => {
    const { id, checksums } = await upload(site, "bound.bin");
    expect(wrongModes(path, "20001:20002", "2750", "0640")).toEqual([]);
    const stored = filesBelow(join(path, "files"));
    expect(stored).toEqual([expect.stringContaining(`/${id}/bound.bin`)]);
    expect(await sha256OfFile(join(path, "files", stored[0]!))).toBe(checksums["sha256"]);
    for (const pid of await processes(site.nginx)) expect(processStatus(pid, "Uid")).toBe("20001\t20001\t20001\t20001");
  });

  it("keeps the files when it is destroyed", async () => {
    const files = filesBelow(join(path, "files"));
    expect((await site.cdktf("destroy")).exitCode).toBe(0);
    expect(filesBelow(join(path, "files"))).toEqual(files);
  }, 120_000);
});

describe.skipIf(reason !== undefined)(`a site with wrong props${skipped}`, () => {
  it("is told all that is wrong at once, and nothing of it is deployed", async () => {
    const { name, exitCode, output } = await tryToDeploy({
      listen: { address: "0.0.0.0", httpsPort: 99999 },
      upload: { maxFileSize: "1.5g", passFields: ['^a"; }'] },
      storage: { uid: 0 },
    });
    expect(exitCode).not.toBe(0);
    for (const path of ["listen.address", "listen.httpsPort", "upload.maxFileSize", "upload.passFields", "storage.uid"]) expect(output).toContain(`site.${path}`);
    expect(output).toContain('"1.5g"');
    for (const kind of ["container", "network", "volume"] as const) expect(await resources(kind, name)).toEqual([]);
  }, 60_000);
});
