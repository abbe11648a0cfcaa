import { chmod } from "node:fs/promises";
import { dirname, join } from "node:path";
import { startLocalSite } from "../../scripts/local/site.ts";
import type { Contestant, Place, Running } from "../contestant.ts";
import { processTree } from "../proc.ts";
import { tusCurl } from "../tus.ts";

/** What a client sends, and where. */
type Send = (origin: string, transport: readonly string[], file: string) => Promise<readonly string[]>;

/** A whole site as it is deployed: TLS, nginx, the module with a digest, files made durable, the service, the database. */
const site = (name: string, send: Send, checksum: "sha256" | "crc32" = "sha256"): Contestant => ({
  group: "tls",
  name,
  async start({ folder }: Place): Promise<Running> {
    // The site's own user has to get there.
    for (const path of [dirname(folder), folder]) await chmod(path, 0o711);
    const local = await startLocalSite({ site: { name: "bench", upload: { checksums: [checksum] } }, root: join(folder, "root") });
    const transport = ["--http1.1", "--cacert", local.caFile!];
    return {
      port: local.address.port,
      store: join(local.store, "files"),
      pids: () => Object.values(local.pids).flatMap((pid) => (pid === undefined ? [] : processTree(pid))),
      stop: local.stop,
      curl: (file) => send(local.url, transport, file),
    };
  },
});

const sendByTus: Send = (origin, transport, file) => tusCurl(transport, `${origin}/tus/`, file);

export const sites: readonly Contestant[] = [
  site("site PUT", async (origin, transport, file) => [...transport, "-T", file, `${origin}/upload/`]),
  site("site tus", sendByTus),
  // The least that a site does: others compute no digest.
  site("site tus crc32", sendByTus, "crc32"),
];
