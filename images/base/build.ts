import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { hostMirror } from "./mirror.ts";
import { bootstrap } from "./rootfs.ts";

/**
 * Makes a Debian image from the packages of the mirror, under the name that a pull would have given it.
 * @throws Error with the last lines of mmdebstrap or docker
 */
export async function buildBaseImage(image: string, suite: string, mirror: string = hostMirror()): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-base-"));
  try {
    const tar = join(folder, "root.tar");
    await command("mmdebstrap", bootstrap(suite, mirror, tar));
    await command("docker", ["import", "--change", 'CMD ["bash"]', tar, image]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function command(file: string, args: readonly string[]): Promise<void> {
  const result = await execa(file, args, { stdin: "ignore", reject: false });
  if (result.failed) throw new Error(`base image: ${file} failed\n${result.stderr.trim().split("\n").slice(-8).join("\n")}`);
}
