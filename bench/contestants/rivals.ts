import { join } from "node:path";
import { checkout } from "../../scripts/core/paths.ts";
import { freePort } from "../../scripts/local/ports.ts";
import type { Contestant, Place, Running } from "../contestant.ts";
import { curlTransport, startNginx } from "../nginx.ts";
import { buildTusd, installNodeRivals, installPythonRival } from "../rivals.ts";
import { startServer } from "../server-process.ts";
import { tusCurl } from "../tus.ts";

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
      curl: (file) => tusCurl([], `http://127.0.0.1:${port}/files`, file),
    };
  },
};

const tusd: Contestant = {
  group: "http",
  name: "tusd",
  async start({ folder, store }) {
    const port = await freePort();
    const { pid, stop } = await startServer("tusd", [await buildTusd(), `${port}`, store], folder, port);
    return { port, pids: () => [pid], stop, curl: (file) => tusCurl([], `http://127.0.0.1:${port}/files/`, file) };
  },
};

/** As its authors put nginx in front of it: TLS there, nothing buffered, Location by what nginx says of the client's request. */
const tusdBehindNginx: Contestant = {
  group: "tls",
  name: "tusd behind nginx",
  async start(place) {
    const inner = await tusd.start(place);
    const server = `
    location / {
      proxy_pass http://127.0.0.1:${inner.port};
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
    }`;
    const nginx = await startNginx({ group: "tls", server }, place).catch(async (error: unknown) => {
      await inner.stop();
      throw error;
    });
    return {
      port: nginx.port,
      pids: () => [...inner.pids(), ...nginx.pids()],
      stop: async () => {
        await nginx.stop();
        await inner.stop();
      },
      curl: (file) => tusCurl(curlTransport("tls"), `${nginx.origin}/files/`, file),
    };
  },
};

/** Starts copyparty with its volume at `/upload`, without its index, thumbnails and port searches. */
export async function startCopyparty({ folder, store }: Pick<Place, "folder" | "store">): Promise<Pick<Running, "port" | "pids" | "stop">> {
  const port = await freePort();
  const packages = await installPythonRival();
  // The volume is all that is open.
  const argv = ["env", `PYTHONPATH=${packages}`, "python3", "-m", "copyparty", "-q", "-i", "127.0.0.1", "-p", `${port}`, "--no-thumb", "--no-zls", "-v", `${store}:upload:rwmd`] as const;
  const { pid, stop } = await startServer("copyparty", [...argv], folder, port);
  return { port, pids: () => [pid], stop };
}

const copyparty: Contestant = {
  group: "http",
  name: "copyparty PUT",
  async start(place) {
    const server = await startCopyparty(place);
    return { ...server, curl: async (file) => ["-T", file, `http://127.0.0.1:${server.port}/upload/file.bin`] };
  },
};

/** Other people's servers. */
export const rivals: readonly Contestant[] = [koa, tus, tusd, copyparty, tusdBehindNginx];
