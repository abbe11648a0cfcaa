import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { filesBelow, type Nginx } from "../helpers/nginx.ts";
import { readState } from "../helpers/pieces.ts";
import { accessLog, piecesFolder } from "./site.ts";
import type { Appearance } from "./storm.ts";
import type { Target } from "./target.ts";

/** The path of the data in a state file; undefined while there is no whole version. */
function dataPath(state: string): string | undefined {
  try {
    return readState(state).path;
  } catch {
    return undefined;
  }
}

/**
 * Files that came in pieces and that no state names. The state of a file that is gone may stay: it knows a segment
 * that is sent once more.
 */
function piecesAlone(paths: readonly string[]): string[] {
  const owned = new Set(paths.filter((path) => path.endsWith(".state")).map(dataPath));
  return paths.filter((path) => !path.endsWith(".state") && !owned.has(path));
}

/** One request in nginx's log. */
interface Logged {
  readonly msec: number;
  readonly port: number;
  /** Path of its last file; "" without one. */
  readonly path: string;
  readonly text: string;
}

function logged(site: Nginx): Logged[] {
  const path = join(site.folder, accessLog);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split("\n").filter((line) => line !== "").map((text) => {
    const [seconds, port, , file] = text.split(" ");
    return { msec: Number(seconds) * 1000, port: Number(port), path: file === "-" || file === undefined ? "" : file, text };
  });
}

/** Files that belong to nobody after the storm, each with what is known of the request that left it. */
export function orphans(site: Nginx, target: Target, appearances: readonly Appearance[]): string[] {
  const left = [...site.files(), ...filesBelow(join(site.folder, "temp")), ...piecesAlone(filesBelow(join(site.folder, piecesFolder)))];
  if (left.length === 0) return [];
  const requests = logged(site);
  const caseOf = ({ port, msec }: Logged): string => {
    const one = appearances.filter((seen) => seen.port === port && seen.began <= msec + 50).sort((a, b) => a.began - b.began).at(-1);
    return one === undefined ? "no case" : `case ${one.index} (${one.name})`;
  };
  return left.map((path) => {
    const session = /\/([^/]+)\.\d{10}$/.exec(path)?.[1];
    const mine = requests.filter((request) => request.path === path || (session !== undefined && (request.text.includes(`"${session}-"`) || request.text.includes(`"-${session}"`))));
    // Of a form with several files the log has the last one, whose number is higher.
    const number = /\d{10}$/.exec(path)?.[0] ?? "";
    const near = requests.filter((request) => /\d{10}$/.test(request.path) && request.path.slice(-10) >= number).sort((a, b) => (a.path.slice(-10) < b.path.slice(-10) ? -1 : 1)).slice(0, 3);
    const found = (mine.length > 0 ? mine : near).map((request) => `${caseOf(request)}: ${request.text}`);
    return `a file without an owner: ${path}; the target ${target.told.has(path) ? `was told of it and did: ${target.told.get(path)}` : "was never told of it"}; ${mine.length > 0 ? "its requests" : "the next ones in the log"}: ${found.join(" | ")}`;
  });
}
