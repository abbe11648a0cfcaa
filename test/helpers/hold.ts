import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ManagedProcess } from "../../scripts/local/managed-process.ts";

const source = fileURLToPath(new URL("../fixtures/hold.c", import.meta.url));

/** A site's nginx whose disk takes as long as a test likes to have bytes written for good. */
export class SlowDisk {
  readonly #file: string;
  readonly #nginx: ManagedProcess;

  private constructor(file: string, nginx: ManagedProcess) {
    this.#file = file;
    this.#nginx = nginx;
  }

  /** Starts nginx in the place of another, which has been stopped. @param folder of its own */
  static start({ spec }: ManagedProcess, folder: string): SlowDisk {
    mkdirSync(folder);
    // Whoever nginx runs as reads the library, and says how far it is.
    chmodSync(dirname(folder), 0o711);
    chmodSync(folder, 0o777);
    const library = join(folder, "hold.so");
    execFileSync("gcc", ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, source, "-ldl"]);
    const file = join(folder, "hold");
    const nginx = new ManagedProcess({ ...spec, env: { ...spec.env, LD_PRELOAD: library, HOLD_FILE: file } });
    nginx.start();
    return new SlowDisk(file, nginx);
  }

  /** From now on nothing gets to the disk. */
  hold(): void {
    writeFileSync(this.#file, "");
  }

  /** Whether nginx waits for the disk. */
  get isAwaited(): boolean {
    return existsSync(`${this.#file}.reached`);
  }

  release(): void {
    rmSync(this.#file, { force: true });
  }

  async stop(): Promise<void> {
    this.release();
    await this.#nginx.stop(5000);
  }
}
