import { freePort } from "../../scripts/local/ports.ts";
import type { Contestant } from "../contestant.ts";
import { compile } from "../programs.ts";
import { startServer } from "../server-process.ts";

/** Receive and write, 1 MiB at a time, in one thread: what every other contestant is measured by. */
const sink = (digest: "none" | "crc32" | "sha256" | "md5"): Contestant => ({
  group: "http",
  name: digest === "none" ? "sink" : `sink ${digest}`,
  async start({ folder, store }) {
    const port = await freePort();
    const { pid, stop } = await startServer("sink", [await compile("sink"), `${port}`, store, digest], folder, port);
    return { port, pids: () => [pid], stop, curl: async (file) => ["-T", file, `http://127.0.0.1:${port}/upload`] };
  },
});

export const sinks: readonly Contestant[] = [sink("none"), sink("crc32"), sink("sha256"), sink("md5")];
