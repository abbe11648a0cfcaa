import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const DEFAULT_MIRROR = "http://deb.debian.org/debian";

/** The Debian mirror that this machine uses, or Debian's own. */
export function hostMirror(folder = "/etc/apt"): string {
  return debianMirror(aptSources(folder)) ?? DEFAULT_MIRROR;
}

function aptSources(folder: string): string {
  const read = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  let names: string[] = [];
  try {
    names = readdirSync(join(folder, "sources.list.d")).sort();
  } catch {
    // No such folder: the one file is all there is.
  }
  return [join(folder, "sources.list"), ...names.map((name) => join(folder, "sources.list.d", name))].map(read).join("\n");
}

/**
 * First address of a Debian mirror in the text of apt's source files, one-line or deb822 style, so that a
 * site behind a mirror of its own uses it here as well.
 */
export function debianMirror(sources: string): string | undefined {
  const addresses = [...sources.matchAll(/^(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(https?:\/\/\S+)/gm)].map((match) => match[1]!);
  return addresses.find((address) => /\/debian\/?$/.test(address))?.replace(/\/$/, "");
}
