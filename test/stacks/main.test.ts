import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-main-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs what cdktf runs, for a site file with these props. */
async function synth(props: object): Promise<{ exitCode?: number; stdout: string; stderr: string }> {
  writeFileSync(join(folder, "site.ts"), `export default ${JSON.stringify(props)};\n`);
  return execa("node_modules/.bin/tsx", ["stacks/main.ts"], {
    env: { SLIPWAY_SITE: join(folder, "site.ts"), CDKTF_OUTDIR: join(folder, "out") },
    reject: false,
  });
}

it("tells all that is wrong at once, and writes nothing", async () => {
  const { exitCode, stdout, stderr } = await synth({ name: "Bad Name", upload: { maxFileSize: "1.5g" }, storage: { uid: 0 }, colour: "blue" });
  expect(exitCode).toBe(1);
  expect(stdout).toBe("");
  for (const path of ["site.name", "site.upload.maxFileSize", "site.storage.uid", "site.colour"]) expect(stderr).toContain(`${path}: `);
  expect(stderr).not.toContain("    at ");
  expect(existsSync(join(folder, "out"))).toBe(false);
});

it("tells that an archive of a module is not the one that was meant", async () => {
  const archive = join(folder, "module.tar.gz");
  writeFileSync(archive, "");
  const { exitCode, stderr } = await synth({ images: { module: { kind: "archive", path: archive, sha256: "0".repeat(64) } } });
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`site.images.module.sha256: not the SHA-256 of ${archive}, got "000`);
  expect(stderr).toContain('use "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"');
  expect(existsSync(join(folder, "out"))).toBe(false);
});

it("tells that a folder is not a module's source", async () => {
  const { exitCode, stderr } = await synth({ images: { module: { kind: "folder", path: folder } } });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('site.images.module.path: not the source of an nginx module, it has no file "config"');
});

it("writes a stack named by the site, and the build contexts where the stack looks for them", async () => {
  const { exitCode, stderr } = await synth({ name: "demo" });
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  const stack = join(folder, "out", "stacks", "demo");
  const { resource } = JSON.parse(readFileSync(join(stack, "cdk.tf.json"), "utf8")) as { resource: { docker_image: Record<string, { build: { context: string } }> } };
  const contexts = Object.values(resource.docker_image).map(({ build }) => build.context);
  expect(contexts.sort()).toEqual(["images/nginx", "images/service"]);
  expect(readdirSync(join(stack, "images/nginx"))).toEqual(expect.arrayContaining(["Dockerfile", "entrypoint", "errors", "module", "nginx.conf"]));
  expect(readdirSync(join(stack, "images/service"))).toEqual(expect.arrayContaining(["Dockerfile", "node", "service"]));
});
