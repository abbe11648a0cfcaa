import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { checkout } from "../../scripts/core/paths.ts";
import { Problem } from "../../scripts/core/problem.ts";
import { freePort } from "../../scripts/local/ports.ts";
import type { Contestant } from "../contestant.ts";
import { installNodeRivals, installPythonRival } from "../rivals.ts";
import { startServer } from "../server-process.ts";

const exec = promisify(execFile);

const koa: Contestant = {
  group: "http",
  name: "Koa + busboy",
  async start({ folder, store }) {
    const port = await freePort();
    const script = join(checkout, "bench/servers/koa.ts");
    const tsx = join(checkout, "node_modules/tsx/dist/loader.mjs");
    const { pid, stop } = await startServer("koa", [process.execPath, "--import", tsx, script, `${port}`, store], folder, port);
    return { port, pids: () => [pid], stop, curl: async (file) => ["-F", `file=@${file}`, `http://127.0.0.1:${port}/`] };
  },
};

/** Makes an upload of a file's size (tus 1.0, extension creation). @returns where to send it */
async function createTus(url: string, file: string): Promise<string> {
  const { size } = await stat(file);
  const { stdout } = await exec("curl", ["-sS", "-D", "-", "-o", "/dev/null", "-X", "POST", "-H", "Tus-Resumable: 1.0.0", "-H", `Upload-Length: ${size}`, url]);
  const location = /^location: (\S+)/im.exec(stdout)?.[1];
  if (location === undefined) throw new Problem(`@tus/server: no upload was made, got "${stdout.split("\n")[0] ?? ""}"; its log is the only one that can say why`);
  return new URL(location, url).href;
}

const tus: Contestant = {
  group: "http",
  name: "@tus/server",
  async start({ folder, store }) {
    const port = await freePort();
    const script = join(await installNodeRivals(), "tus.mjs");
    const { pid, stop } = await startServer("tus", [process.execPath, script, `${port}`, store], folder, port);
    return {
      port,
      pids: () => [pid],
      stop,
      curl: async (file) => {
        const url = await createTus(`http://127.0.0.1:${port}/files`, file);
        return ["-X", "PATCH", "-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Offset: 0", "-H", "Content-Type: application/offset+octet-stream", "-T", file, url];
      },
    };
  },
};

const copyparty: Contestant = {
  group: "http",
  name: "copyparty PUT",
  async start({ folder, store }) {
    const port = await freePort();
    const packages = await installPythonRival();
    // Without its index, thumbnails and port searches; the volume is all that is open.
    const argv = ["env", `PYTHONPATH=${packages}`, "python3", "-m", "copyparty", "-q", "-i", "127.0.0.1", "-p", `${port}`, "--no-thumb", "--no-zls", "-v", `${store}:upload:rwmd`] as const;
    const { pid, stop } = await startServer("copyparty", [...argv], folder, port);
    return { port, pids: () => [pid], stop, curl: async (file) => ["-T", file, `http://127.0.0.1:${port}/upload/file.bin`] };
  },
};

/** Other people's servers. */
export const rivals: readonly Contestant[] = [koa, tus, copyparty];
