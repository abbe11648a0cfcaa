import { stat } from "node:fs/promises";
import { Problem } from "../scripts/core/problem.ts";
import { run } from "../scripts/core/run.ts";

const VERSION = ["-H", "Tus-Resumable: 1.0.0"] as const;

/**
 * Makes an upload of a file's size (tus 1.0, extension creation).
 * @param transport arguments for every curl: how the server is reached
 * @returns arguments of the curl that sends all of it in one PATCH
 */
export async function tusCurl(transport: readonly string[], url: string, file: string): Promise<readonly string[]> {
  const { size } = await stat(file);
  const { stdout } = await run(["curl", "-sS", ...transport, "-D", "-", "-o", "/dev/null", "-X", "POST", ...VERSION, "-H", `Upload-Length: ${size}`, url]);
  const location = /^location: (\S+)/im.exec(stdout)?.[1];
  if (location === undefined) throw new Problem(`tus: no upload was made at ${url}, got "${stdout.split("\n")[0] ?? ""}"; the server's log is the only one that can say why`);
  const patch = ["-X", "PATCH", ...VERSION, "-H", "Upload-Offset: 0", "-H", "Content-Type: application/offset+octet-stream"];
  return [...transport, ...patch, "-T", file, new URL(location, url).href];
}
