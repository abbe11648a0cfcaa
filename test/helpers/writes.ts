import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NginxOptions } from "./nginx.ts";

const source = fileURLToPath(new URL("../fixtures/writes.c", import.meta.url));

/** Bytes that nginx wrote at once to a file of the store. */
export interface Write {
  /** The file, by its inode. */
  readonly file: number;
  /** Offset of the first byte. */
  readonly at: number;
  readonly length: number;
}

/** That nginx had a file of the store made durable, and with it all that was written to it before. */
export interface Sync {
  /** The file, by its inode. */
  readonly file: number;
}

/** The library that notes what nginx writes to its store, and when it is made durable. */
export class NotedWrites {
  readonly #folder = mkdtempSync(join(tmpdir(), "slipway-writes-"));

  constructor() {
    execFileSync("gcc", ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", join(this.#folder, "writes.so"), source, "-ldl"]);
  }

  #log(name: string): string {
    return join(this.#folder, name);
  }

  /** nginx's options with which it takes notes. @param name of the notes, one for each nginx */
  options(name: string): Required<Pick<NginxOptions, "preload" | "environment">> {
    return { preload: [join(this.#folder, "writes.so")], environment: { WRITES_LOG: this.#log(name), WRITES_FOLDER: "%STORE%" } };
  }

  /** What has been noted up to now, in its order. */
  read(name: string): (Write | Sync)[] {
    if (!existsSync(this.#log(name))) return [];
    const lines = readFileSync(this.#log(name), "utf8").split("\n").slice(0, -1);
    return lines.map((line) => line.split(" ")).map(([file, at, length]) => (at === "sync" ? { file: Number(file) } : { file: Number(file), at: Number(at), length: Number(length) }));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Whether it is a write. */
export const isWrite = (note: Write | Sync): note is Write => "at" in note;
