import { createHash } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nginxContext } from "../../images/nginx/context.ts";
import { serviceContext } from "../../images/service/context.ts";
import type { SiteProps } from "../../stacks/props.ts";
import { checkSite } from "../../stacks/settings.ts";
import { docker, inspect, withoutDocker } from "../helpers/e2e-docker.ts";
import { runIn, TestImages } from "../helpers/test-images.ts";

const missing = withoutDocker();
const STORE = "/srv/slipway";
const PREPARE = "/usr/lib/slipway/prepare-store";
const site = (props: SiteProps = {}): ReturnType<typeof checkSite> => checkSite({ storage: { uid: 4711, gid: 4712 }, ...props });

describe.skipIf(missing)(`the images${missing ? ` (skipped: ${missing})` : ""}`, { timeout: 300_000 }, () => {
  const images = new TestImages();
  let folder: string;
  let nginx: string;
  let service: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "slipway-images-"));
    nginx = await images.build(nginxContext(site()));
    service = await images.build(await serviceContext(site()));
  }, 900_000);
  afterAll(async () => {
    await images.remove();
    rmSync(folder, { recursive: true });
  });

  const volume = (name: string): string[] => ["--mount", `type=volume,source=${name},target=${STORE}`];
  const bind = (path: string): string[] => ["--mount", `type=bind,source=${path},target=${STORE}`];
  const levels = (text: string): string[] => ["--env", `SLIPWAY_HASH_LEVELS=${text}`];

  /** Mode, owner and path of every directory of a store. */
  async function directories(mount: readonly string[]): Promise<string[]> {
    const { text } = await runIn(nginx, ["find", STORE, "-type", "d", "-printf", "%m %U:%G %P\n"], mount);
    return text.split("\n").map((line) => line.trimEnd()).sort();
  }

  const expected = (...hashed: string[]): string[] =>
    ["", "incoming", "files", ...hashed.map((path) => `incoming/${path}`)].map((path) => `2770 4711:4712 ${path}`.trimEnd()).sort();
  const digits = Array.from({ length: 10 }, (_, i) => String(i));

  describe("an empty volume", () => {
    it("is born with its directories, before anything is started", async () => {
      expect(await directories(volume(await images.volumeOf(nginx, STORE)))).toEqual(expected(...digits));
    });

    it("that the service mounts first belongs to the site all the same", async () => {
      const mount = volume(await images.volumeOf(service, STORE));
      const look = await runIn(service, ["find", STORE, "-printf", "%m %U:%G %P\n"], mount);
      expect(look.text.trimEnd()).toBe("2770 4711:4712");
      expect(await runIn(nginx, [PREPARE], mount)).toEqual({ exitCode: 0, text: "" });
      expect(await directories(mount)).toEqual(expected(...digits));
    });
  });

  describe("the store at a start", () => {
    it("gets the directories of levels that were raised, and keeps its data", async () => {
      const mount = volume(await images.volumeOf(nginx, STORE));
      await runIn(nginx, ["sh", "-c", `umask 007; echo data > ${STORE}/files/kept; echo part > ${STORE}/incoming/3/0000000003`], mount);
      expect(await runIn(nginx, [PREPARE], [...mount, ...levels("1 2")])).toEqual({ exitCode: 0, text: "" });
      const second = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, "0"));
      expect(await directories(mount)).toEqual(expected(...digits, ...digits.flatMap((first) => second.map((two) => `${first}/${two}`))));
      const { text } = await runIn(nginx, ["sh", "-c", `cat ${STORE}/files/kept ${STORE}/incoming/3/0000000003`], mount);
      expect(text).toBe("data\npart");
    });

    it("gets exact modes back, whatever they have become", async () => {
      const mount = volume(await images.volumeOf(nginx, STORE));
      await runIn(nginx, ["chmod", "0700", `${STORE}/incoming`, `${STORE}/incoming/7`, `${STORE}/files`], mount);
      expect((await runIn(nginx, [PREPARE], mount)).exitCode).toBe(0);
      expect(await directories(mount)).toEqual(expected(...digits));
    });

    it("is made on an empty directory of the host", async () => {
      const path = join(folder, "bound");
      mkdirSync(path);
      chownSync(path, 4711, 4712);
      chmodSync(path, 0o750);
      expect(await runIn(nginx, [PREPARE], bind(path))).toEqual({ exitCode: 0, text: "" });
      expect(await directories(bind(path))).toEqual(expected(...digits));
      expect(statSync(join(path, "incoming", "0")).uid).toBe(4711);
    });

    it.each([
      ["cannot be written", 0, 0o755],
      ["belongs to somebody else, with a group that may only read", 1, 0o750],
    ])("that %s ends the start with what to do", async (_, owner, mode) => {
      const path = mkdtempSync(join(folder, "foreign-"));
      chownSync(path, owner, owner);
      chmodSync(path, mode);
      const { exitCode, text } = await runIn(nginx, ["/usr/lib/slipway/entrypoint", "nginx", "-v"], bind(path));
      expect(exitCode).toBe(1);
      expect(text).toMatch(/^slipway: site\.storage\.place: .*4711:4712.*; run on the host: chown .*4711:4712/m);
      expect(text).not.toContain("nginx version");
    });

    it("whose hash directories cannot be written ends the start too", async () => {
      const path = mkdtempSync(join(folder, "half-"));
      await docker("run", "--rm", "--user=0:0", "--entrypoint=sh", ...bind(path), nginx, "-c", `cd ${STORE} && mkdir -p files && for d in ${digits.join(" ")}; do mkdir -p incoming/$d; done && chown -R 0:0 . && chmod -R 755 .`);
      const { exitCode, text } = await runIn(nginx, [PREPARE], bind(path));
      expect(exitCode).toBe(1);
      expect(text).toMatch(/slipway: site\.storage\.place: \/srv\/slipway is not writable by 4711:4712 \(Permission denied\), it belongs to 0:0/);
    });
  });

  describe("the nginx image", () => {
    it("serves without rights and with a read-only root, and says that it is healthy", async () => {
      const secrets = join(folder, "secrets");
      mkdirSync(secrets);
      execaSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", join(secrets, "site.key"), "-out", join(secrets, "site.pem")]);
      writeFileSync(join(secrets, "nginx-secret.conf"), 'set $slipway_secret "00";\n');
      for (const name of ["site.key", "site.pem", "nginx-secret.conf"]) chownSync(join(secrets, name), 4711, 4712);
      const own = "mode=0700,uid=4711,gid=4712";
      const name = await images.start(nginx, [
        "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true", "--network=none",
        ...volume(await images.volumeOf(nginx, STORE)), `--tmpfs=/tmp:${own}`, `--tmpfs=/run/slipway:${own}`, `--mount=type=bind,source=${secrets},target=/run/secrets/slipway,readonly`,
      ]);
      await expect.poll(async () => runningHealth(name), { timeout: 120_000, interval: 500 }).toBe("healthy");
      const { Config, State } = await inspect(name);
      expect(Config.User).toBe("4711:4712");
      expect(readFileSync(`/proc/${State.Pid}/cmdline`, "utf8")).toContain("nginx: master process");
    });

    it("holds no secret, no compiler and no package lists", async () => {
      const { text } = await runIn(nginx, ["sh", "-c", "ls -A /run /build /var/lib/apt/lists 2>&1; command -v gcc make; find / -xdev -name '*.key' 2>/dev/null; true"], ["--user=0:0"]);
      expect(text).not.toMatch(/secrets|site\.key|gcc|Packages|InRelease/);
      expect(text).toContain("/build");
    });

    it("is built for an application on the host, whose name a build does not know by itself", async () => {
      const built = await images.build(nginxContext(site({ application: { kind: "http", address: "host.docker.internal:8000" } })));
      expect((await runIn(built, ["ls", "/usr/share/slipway/configuration-checked"])).exitCode).toBe(0);
    });

    it("says what it is", async () => {
      const labels = JSON.parse(await docker("image", "inspect", "--format", "{{json .Config.Labels}}", nginx)) as Record<string, string>;
      const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
      expect(labels).toMatchObject({ "org.opencontainers.image.title": "slipway-nginx", "org.opencontainers.image.version": version });
    });

    it("takes a module from an archive; a configuration that nginx then refuses is no image, and the build says why", async () => {
      const archive = join(folder, "hello.tar.gz");
      execaSync("tar", ["-czf", archive, "-C", "test/fixtures", "hello-module"]);
      const sha256 = createHash("sha256").update(readFileSync(archive)).digest("hex");
      const hello = nginxContext(site({ images: { module: { kind: "archive", path: archive, sha256 } } }));
      await expect(images.build(hello)).rejects.toMatchObject({ all: expect.stringMatching(/\[emerg\] .*unknown directive "upload_store" in \/etc\/slipway\/nginx\.conf/) });
    });
  });

  describe("the service image", () => {
    it("runs the Node of its lock file as the site's user", async () => {
      const lock = JSON.parse(readFileSync("images/service/package-lock.json", "utf8")) as { packages: Record<string, { version: string }> };
      const { text } = await runIn(service, ["sh", "-c", "node --version; id -u; id -g"]);
      expect(text).toBe(`v${lock.packages[`node_modules/node-linux-${process.arch}`]!.version}\n4711\n4712`);
    });

    it("has a folder for the database that only the site may enter", async () => {
      const { text } = await runIn(service, ["stat", "-c", "%a %u:%g", "/var/lib/slipway"]);
      expect(text).toBe("750 4711:4712");
    });

    it("serves without rights and with a read-only root, and says that it is healthy", async () => {
      const secret = join(folder, "secret");
      writeFileSync(secret, "00".repeat(32));
      chownSync(secret, 4711, 4712);
      const variables = { LISTEN: "0.0.0.0:8080", STORE, DATABASE: "/var/lib/slipway/slipway.db", SECRET_FILE: "/run/secret", LOG_LEVEL: "info", FILE_MODE: "0660", DIRECTORY_MODE: "2770", ABANDONED_AFTER: "86400", UPLOAD_PATH: "/upload", MAX_FILE_SIZE: "0", CHECKSUMS: "sha256", SITE_NAME: "test" };
      const name = await images.start(service, [
        "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true", "--network=none", "--tmpfs=/tmp:mode=0700,uid=4711,gid=4712",
        ...volume(await images.volumeOf(nginx, STORE)), "--mount=type=volume,target=/var/lib/slipway", `--mount=type=bind,source=${secret},target=/run/secret,readonly`,
        ...Object.entries(variables).map(([key, value]) => `--env=SLIPWAY_${key}=${value}`),
      ]);
      await expect.poll(async () => runningHealth(name), { timeout: 120_000, interval: 500 }).toBe("healthy");
    });
  });

  /** Health of a container that runs; what it wrote when it has ended. */
  async function runningHealth(name: string): Promise<string> {
    const [running, health] = (await docker("inspect", "--format", "{{.State.Running}} {{.State.Health.Status}}", name)).split(" ");
    return running === "true" ? health! : (await execaSync("docker", ["logs", name], { all: true })).all;
  }
});
