import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { fieldBlock, flags, frame, frameTypes } from "../hostile/frames.ts";
import { connectionStart, FrameClient } from "../helpers/hostile-http2.ts";
import { type Nginx, withNginx } from "../helpers/nginx.ts";
import { pieceHead, piecesSite, segment, segmentHead, sendPiece, sha256 } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange, WireClient } from "../helpers/wire.ts";

const bytes = Buffer.alloc(100_000, "slipway/");

/** The same head of a request in HTTP/2. */
function inFrames(head: Buffer): Buffer {
  const [first = "", ...lines] = head.toString("latin1").trimEnd().split("\r\n");
  const [method = "", path = ""] = first.split(" ");
  const fields = lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)] as const).filter(([name]) => name !== "host");
  const all = [[":method", method], [":scheme", "http"], [":path", path], [":authority", "localhost"], ...fields] as const;
  return Buffer.concat([connectionStart, frame(frameTypes.headers, flags.endHeaders, 1, fieldBlock(all))]);
}

/** Ways to begin a request, and to go away. */
const begins: Readonly<Record<string, (nginx: Nginx, head: Buffer) => Promise<() => void>>> = {
  "HTTP/1.1": async (nginx, head) => {
    const client = await WireClient.open(nginx.port);
    client.write(Buffer.concat([head, bytes.subarray(0, 16_000)]));
    return () => client.destroy();
  },
  "HTTP/2": async (nginx, head) => {
    const client = await FrameClient.open(nginx.tlsPort);
    client.write(Buffer.concat([inFrames(head), frame(frameTypes.data, 0, 1, bytes.subarray(0, 16_000))]));
    return () => client.destroy();
  },
};

/** Whether a worker has a file open. */
const opened = (nginx: Nginx, path: string): boolean =>
  nginx.workers().some((pid) =>
    readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`) === path;
      } catch {
        return false;
      }
    }),
  );

/** Holds the lock of a state, which it makes, while a client sends a request and goes away. */
async function goAwayBehindLock(nginx: Nginx, state: string, begin: () => Promise<() => void>): Promise<void> {
  writeFileSync(state, "");
  const holder = spawn("flock", [state, "sh", "-c", "echo held; read line"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(holder, "exit");
  await once(holder.stdout, "data");
  const goAway = await begin();
  await nginx.until(() => opened(nginx, state), "a thread that waits for the lock");
  goAway();
  await sleep(100);
  holder.stdin.end("\n");
  await ended;
  await nginx.until(() => !opened(nginx, state), "the request to end");
}

const site = (): Parameters<typeof withNginx>[0] => piecesSite({ listen: "listen 127.0.0.1:%PORT%; listen 127.0.0.1:%TLS_PORT% http2;" });

describe.each(Object.keys(begins))("module: a client of %s that goes away while its piece waits for the state", (protocol) => {
  it("leaves nothing of a session that had nothing", async () => {
    await withNginx(site(), async (nginx) => {
      expect((await exchange(nginx.port, segment(bytes, "s", 0, 1))).status).toBe(201);
      const state = nginx.files().find((path) => path.endsWith(".state"))!;
      for (const path of nginx.files()) rmSync(path);
      await goAwayBehindLock(nginx, state, () => begins[protocol]!(nginx, segmentHead("s", 0, bytes.length, bytes.length)));
      expect(nginx.files()).toEqual([]);
    });
  });

  it("is told of with what came of a raw piece", async () => {
    await withNginx(site(), async (nginx) => {
      const path = `${nginx.store}/file`;
      await goAwayBehindLock(nginx, `${path}.state`, () => begins[protocol]!(nginx, pieceHead(path, 0, bytes.length, [`X-Length: ${bytes.length}`])));
      expect(nginx.passed.map((passed) => fieldOf(passed, "outcome"))).toEqual(["aborted"]);
      expect(existsSync(path)).toBe(true);
      const offset = Number(fieldOf(nginx.passed[0], "offset"));
      expect(offset).toBe(16_000);
      expect((await sendPiece(nginx.port, path, bytes, offset)).status).toBe(200);
      expect(fieldOf(nginx.passed[1], "sha256")).toBe(sha256(bytes));
    });
  });
});
