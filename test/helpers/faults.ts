import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../fixtures/eio.c", import.meta.url));

/** Kinds of calls that can be made to fail, in the order of test/fixtures/eio.c. */
export const callKinds = ["open", "write", "sync", "close", "chmod", "mkdir", "truncate", "flock", "read"] as const;
export type CallKind = (typeof callKinds)[number];

/** Numbers of the errors on Linux. */
export const errors = { EINTR: 4, EIO: 5, EACCES: 13, ENOSPC: 28, EROFS: 30, EDQUOT: 122, SHORT: 0 } as const;

/** Which calls on the store fail. */
export interface Fault {
  /** Kinds of calls that count. @default all */
  readonly kinds?: readonly CallKind[];
  /** Which of them is the first to fail, from 1; 0 is none. */
  readonly nth: number;
  /** How many fail from there on. @default 1 */
  readonly times?: number;
  /** What they fail with; SHORT lets a write come short by half. */
  readonly error: keyof typeof errors;
}

/** The library that makes calls fail, and what it is told. */
export class FaultyCalls {
  readonly #folder: string;
  readonly #control: number;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#control = openSync(join(folder, "control"), "w+");
    writeSync(this.#control, Buffer.alloc(48));
  }

  /** Compiles the library into a folder of its own. */
  static build(): FaultyCalls {
    const folder = mkdtempSync(join(tmpdir(), "slipway-faults-"));
    execFileSync("gcc", ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", join(folder, "eio.so"), source, "-ldl"]);
    return new FaultyCalls(folder);
  }

  /** nginx's options with which it obeys. */
  get options(): { readonly preload: readonly string[]; readonly environment: Readonly<Record<string, string>> } {
    return { preload: [join(this.#folder, "eio.so")], environment: { EIO_CONTROL: join(this.#folder, "control"), EIO_FOLDER: "%STORE%" } };
  }

  /** Arms the library and starts to count. */
  arm({ kinds = callKinds, nth, times = 1, error }: Fault): void {
    const mask = kinds.reduce((bits, kind) => bits | (1 << callKinds.indexOf(kind)), 0);
    const bytes = Buffer.alloc(48);
    [mask, nth, times, errors[error]].forEach((value, i) => bytes.writeBigInt64LE(BigInt(value), i * 8));
    writeSync(this.#control, bytes, 0, 48, 0);
  }

  #read(index: number): number {
    const bytes = Buffer.alloc(8);
    readSync(this.#control, bytes, 0, 8, index * 8);
    return Number(bytes.readBigInt64LE());
  }

  /** Calls that counted since it was armed. */
  get counted(): number {
    return this.#read(4);
  }

  /** Calls that failed since it was armed. */
  get hit(): number {
    return this.#read(5);
  }

  remove(): void {
    closeSync(this.#control);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Runs something with a file system of a size of its own on a folder. Takes root. */
export async function withTmpfs<T>(folder: string, size: number | string, run: () => Promise<T>): Promise<T> {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder]);
  try {
    return await run();
  } finally {
    execFileSync("umount", ["-l", folder]);
  }
}

/** Why file systems cannot be mounted here; undefined when they can. */
export const cannotMount = process.getuid?.() === 0 ? undefined : "mounting a tmpfs takes root";
