import { existsSync, readFileSync } from "node:fs";

/** What the steps need to know about the machine. */
export interface Host {
  readonly isRoot: boolean;
  /** apt can install what is missing. */
  readonly isDebian: boolean;
  readonly hasSystemd: boolean;
  /** As Terraform and Go name it: `amd64`, `arm64`. */
  readonly architecture: string;
}

/** The machine that this runs on. */
export function readHost(): Host {
  return {
    isRoot: process.getuid?.() === 0,
    isDebian: isDebianLike(existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : ""),
    // The test of sd_booted(3): the binaries may well be there without systemd running.
    hasSystemd: existsSync("/run/systemd/system"),
    architecture: process.arch === "x64" ? "amd64" : process.arch,
  };
}

/** Whether an os-release file (os-release(5)) is that of Debian, Ubuntu or a relative. */
export function isDebianLike(osRelease: string): boolean {
  const values = [...osRelease.matchAll(/^(?:ID|ID_LIKE)=(.*)$/gm)].flatMap((match) => match[1]!.replaceAll('"', "").split(" "));
  return values.includes("debian") || values.includes("ubuntu");
}
