import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { BUILD_HOSTS, stageContext } from "../../stacks/build/context.ts";
import type { BuildContext } from "../../stacks/build/context.ts";
import { docker } from "./e2e-docker.ts";

/** Images, containers and volumes of one test file; all of them go with {@link remove}. */
export class TestImages {
  readonly #prefix = `slipway-test-${randomBytes(4).toString("hex")}`;
  readonly #images: string[] = [];
  readonly #containers: string[] = [];
  readonly #volumes: string[] = [];

  /** A name for an image, a container or a volume that nobody else uses. */
  #name(names: string[]): string {
    const name = `${this.#prefix}-${this.#images.length + this.#containers.length + this.#volumes.length}`;
    names.push(name);
    return name;
  }

  /**
   * Builds an image with the engine's own command line and gives its name.
   *
   * @param target stage to stop after; the last one if left out
   * @throws with what the build wrote, when it fails
   */
  async build(context: BuildContext, target?: string): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), "slipway-image-"));
    const name = this.#name(this.#images);
    try {
      stageContext(folder, context);
      const args = Object.entries(context.args).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
      const hosts = BUILD_HOSTS.map((host) => `--add-host=${host}`);
      await execa("docker", ["build", "--force-rm", ...hosts, "--tag", name, ...(target === undefined ? [] : ["--target", target]), ...args, folder], { all: true });
      return name;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** Makes a volume as a first mount does: it is filled from the image, nothing is started. */
  async volumeOf(image: string, target: string): Promise<string> {
    const volume = this.#name(this.#volumes);
    await docker("create", "--name", this.#name(this.#containers), "--mount", `type=volume,source=${volume},target=${target}`, image);
    return volume;
  }

  /** Starts a container in the background and gives its name. */
  async start(image: string, options: readonly string[]): Promise<string> {
    const name = this.#name(this.#containers);
    await docker("run", "--detach", "--name", name, ...options, image);
    return name;
  }

  async remove(): Promise<void> {
    const quietly = (argv: string[]): Promise<unknown> => execa("docker", argv, { reject: false });
    if (this.#containers.length > 0) await quietly(["rm", "--force", "--volumes", ...this.#containers]);
    if (this.#volumes.length > 0) await quietly(["volume", "rm", ...this.#volumes]);
    for (const image of this.#images) await quietly(["image", "rm", image]);
  }
}

/** Runs a program of an image in place of what it starts, without rights and with a read-only root; gives all that it wrote. */
export async function runIn(image: string, command: readonly string[], options: readonly string[] = []): Promise<{ exitCode: number; text: string }> {
  const [entrypoint, ...args] = command;
  const hardened = ["--rm", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true", "--network=none"];
  const result = await execa("docker", ["run", ...hardened, ...options, "--entrypoint", entrypoint!, image, ...args], { all: true, reject: false });
  return { exitCode: result.exitCode ?? -1, text: result.all };
}
