/** A TCP proxy that makes a connection as bad as a seed says: cut, stalled, slow, split at random bytes. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { generator } from "./e2e-random.ts";
import { type Relay, startRelay } from "./relay.ts";
import { TlsRecords } from "./tls-records.ts";

export interface BadConnection {
  /** Port on 127.0.0.1 that the bytes go to. */
  readonly port: number;
  readonly seed: number;
  /** Connections that are cut before the proxy lets all others through. @default 0 */
  readonly cuts?: number;
  /** Least and most bytes from the client, between two cuts; counted over all connections. @default 1 to 1 MiB */
  readonly cutAfter?: readonly [number, number];
  /**
   * How both ends hear of a cut: "end" hands the site all that was passed on, and the client hears of it when the site
   * has read that, so that what is sent again can be counted to the byte; "reset" loses what lies in the buffers on the
   * way, which nobody has acknowledged; "late reset" waits until the site's TCP has acknowledged all of it, whether nginx
   * has read it or not; "silence" tells nobody, and nothing goes either way any more. @default "end"
   */
  readonly cutBy?: "end" | "reset" | "late reset" | "silence";
  /** Longest of the random pauses, in milliseconds. @default none */
  readonly stallMs?: number;
  /** Pauses come after at most so many bytes. @default 1 MiB */
  readonly stallEvery?: number;
  /** Bytes a second towards the site. @default no limit */
  readonly rate?: number;
  /** After so many bytes nothing is passed on until {@link CuttingProxy.goOn}. @default never */
  readonly holdAfter?: number;
  /** Writes hold at most so many bytes, at random. @default as they come */
  readonly splitAt?: number;
}

/** What a connection had brought when it was cut, in bytes, TLS included. */
export interface Cut {
  /** All that was passed on to the site. */
  readonly passed: number;
  /** Of it what the site's TCP had acknowledged, as far as its records of TLS are whole. */
  acknowledged: number;
}

export interface CuttingProxy extends Relay {
  /** Bytes that went to the site, TLS included, over all connections. */
  readonly sent: () => number;
  /** How often it has cut. */
  readonly cuts: () => number;
  /** Those connections, in the order of the cuts. */
  readonly cutConnections: () => readonly Readonly<Cut>[];
  /** Passes on what is held, and holds nothing any more. */
  goOn(): void;
}

/** Bytes that the other end's TCP has not acknowledged; proc(5), `tx_queue` of /proc/net/tcp. */
function unacknowledged(socket: Socket): number {
  const local = `:${(socket.localPort ?? 0).toString(16).toUpperCase().padStart(4, "0")} `;
  const line = readFileSync("/proc/net/tcp", "latin1").split("\n").find((text) => text.includes(local) && text.indexOf(local) < 20);
  return socket.writableLength + Number.parseInt(line?.trim().split(/\s+/)[4]?.split(":")[0] ?? "0", 16);
}

/** Waits until all is acknowledged, for ten seconds at most. */
async function acknowledged(socket: Socket): Promise<void> {
  for (const end = Date.now() + 10_000; unacknowledged(socket) > 0 && Date.now() < end; ) await sleep(1);
}

/** Starts a proxy on a free port of 127.0.0.1. The same seed makes the same choices in the same order. */
export async function startCuttingProxy(how: BadConnection): Promise<CuttingProxy> {
  const { cuts: most = 0, cutAfter = [1, 1024 * 1024], stallMs = 0, stallEvery = 1024 * 1024, rate, holdAfter = Infinity, splitAt, cutBy = "end" } = how;
  const random = generator(how.seed);
  let sent = 0;
  const cuts: Cut[] = [];
  let nextCut = random.integer(...cutAfter);
  let nextStall = random.integer(1, stallEvery);
  let holdAt = holdAfter;
  let wake = (): void => undefined;
  const woken = new Promise<void>((resolve) => (wake = resolve));
  const goOn = (): void => {
    holdAt = Infinity;
    wake();
  };

  /** Passes one write on, in pieces. @returns what the connection has brought when it is to be cut now */
  const pass = async (bytes: Buffer, to: Socket, records: TlsRecords): Promise<Cut | undefined> => {
    for (let at = 0; at < bytes.length && !to.destroyed; ) {
      const toCut = cuts.length < most ? nextCut - sent : Infinity;
      if (sent >= holdAt) await Promise.race([woken, once(to, "close")]);
      const length = Math.min(bytes.length - at, Math.max(1, toCut), splitAt === undefined ? Infinity : random.integer(1, splitAt));
      records.take(bytes.subarray(at, at + length));
      if (!to.write(bytes.subarray(at, at + length))) await new Promise((resume) => to.once("drain", resume).once("close", resume));
      at += length;
      sent += length;
      if (rate !== undefined) await sleep((length / rate) * 1000);
      if (stallMs > 0 && sent >= nextStall) {
        nextStall = sent + random.integer(1, stallEvery);
        await sleep(random.integer(0, stallMs));
      }
      if (cuts.length < most && sent >= nextCut) {
        const cut = { passed: records.passed, acknowledged: 0 };
        cuts.push(cut);
        nextCut = sent + random.integer(...cutAfter);
        if (cutBy === "late reset") await acknowledged(to);
        return cut;
      }
    }
    return undefined;
  };

  const relay = await startRelay(how.port, (client, site) => {
    const drop = (): void => {
      if (cutBy === "end") {
        // The answer to what it reads yet is lost; the relay closes the client's connection with the site's.
        site.unpipe(client).resume();
        site.end();
        return;
      }
      client.resetAndDestroy();
      site.resetAndDestroy();
    };
    site.pipe(client);
    const records = new TlsRecords();
    const upwards = async (): Promise<void> => {
      for await (const bytes of client.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        const cut = await pass(bytes, site, records);
        if (cut === undefined) continue;
        // An end hands the site all that is on the way. A reset comes in the same turn, as more arrives with every one.
        cut.acknowledged = records.wholeIn(cut.passed - (cutBy === "end" ? 0 : unacknowledged(site)));
        if (cutBy !== "silence") return drop();
        site.unpipe(client).resume();
        await once(client, "close");
      }
    };
    void upwards().catch(() => undefined).finally(drop);
  });
  return { ...relay, sent: () => sent, cuts: () => cuts.length, cutConnections: () => cuts, goOn };
}
