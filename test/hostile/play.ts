import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import type { HostileCase } from "./case.ts";
import { statusesIn, streamsEnded } from "./frames.ts";

/** Milliseconds without a word from the server after which a client that waits for silence goes. */
const SILENCE = 40;

/** The same while there has been no answer at all. */
const FIRST_SILENCE = 1000;

/** Milliseconds without a word after which a client that waits for an answer asks whether the server answers others. */
const PATIENCE = 10_000;

/** Milliseconds that it still waits when others are answered. */
const GRACE = 3000;

/** Where the server listens. */
export interface Ports {
  readonly http1: number;
  readonly http2: number;
  /** Both, by ALPN. */
  readonly tls: number;
}

/** What a client saw. */
export interface Played {
  /** What the server sent. */
  readonly received: Buffer;
  /** Whether the client went without the answer that it waited for, although the server answered others. */
  readonly inVain: boolean;
  /** The client's port; 0 when it had none. */
  readonly port: number;
  /** Milliseconds from its connection to its leaving. */
  readonly elapsed: number;
}

export interface PlayOptions {
  readonly ports: Ports;
  /** Gets an answer through server and target, however long that takes. @throws when it takes too long */
  readonly probe: () => Promise<void>;
}

export function statusesOf(made: HostileCase, received: Buffer): number[] {
  if (made.port === "http2") return statusesIn(received);
  return [...received.toString("latin1").matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map((match) => Number(match[1]));
}

/** Whether the last answer of HTTP/1.1 is whole, as far as its length says; that to HEAD has no body. */
function answered(received: Buffer, headOnly: boolean): boolean {
  const text = received.toString("latin1");
  const at = text.lastIndexOf("HTTP/1.1 ");
  const end = text.indexOf("\r\n\r\n", at);
  if (at < 0 || end < 0 || /^HTTP\/1\.1 100/.test(text.slice(at))) return false;
  if (headOnly) return true;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(at, end))?.[1];
  return length === undefined ? text.endsWith("0\r\n\r\n") : text.length >= end + 4 + Number(length);
}

/** Whether all that the client waits for has come. */
function satisfied(made: HostileCase, received: Buffer): boolean {
  if (made.ending !== "answer") return false;
  return made.port === "http2" ? streamsEnded(received) >= (made.whole ?? 1) : answered(received, Buffer.concat(made.pieces.slice(0, 6)).toString("latin1", 0, 5) === "HEAD ");
}

/** One client, from its connection to its leaving. */
class Client {
  readonly #made: HostileCase;
  readonly #options: PlayOptions;
  readonly #raw: Socket;
  readonly #socket: Socket;
  readonly #resolve: (played: Played) => void;
  readonly #received: Buffer[] = [];
  readonly #began = performance.now();
  #port = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing = true;
  #left = false;

  constructor(made: HostileCase, options: PlayOptions, resolve: (played: Played) => void) {
    this.#made = made;
    this.#options = options;
    this.#resolve = resolve;
    const port = made.tls === true ? options.ports.tls : options.ports[made.port];
    this.#raw = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#raw.on("connect", () => (this.#port = this.#raw.localPort ?? 0));
    this.#raw.on("error", () => this.#leave(true));
    // The certificate is the test's own; who it names is not what this is about.
    const tls = { socket: this.#raw, rejectUnauthorized: false, ALPNProtocols: [made.port === "http2" ? "h2" : "http/1.1"] };
    this.#socket = made.tls === true ? connectTls(tls) : this.#raw;
    this.#socket.on(made.tls === true ? "secureConnect" : "connect", () => this.#write(0));
    this.#socket.on("data", (data) => this.#take(data));
    this.#socket.on("error", () => this.#leave(true));
    this.#socket.on("end", () => this.#leave(true));
    this.#socket.on("close", () => this.#leave(true));
  }

  #leave(cleanly: boolean, inVain = false): void {
    if (this.#left) return;
    this.#left = true;
    clearTimeout(this.#timer);
    if (!cleanly && !this.#raw.destroyed) this.#raw.resetAndDestroy();
    this.#socket.destroy();
    this.#resolve({ received: Buffer.concat(this.#received), inVain, port: this.#port, elapsed: performance.now() - this.#began });
  }

  #take(data: Buffer): void {
    this.#received.push(data);
    if (!this.#writing && satisfied(this.#made, Buffer.concat(this.#received))) this.#leave(false);
    else this.#listen();
  }

  #listen(): void {
    if (this.#writing) return;
    clearTimeout(this.#timer);
    const { length } = this.#received;
    const silent = (): boolean => this.#received.length === length;
    if (this.#made.ending === "answer") {
      this.#timer = setTimeout(() => void this.#ask(silent), PATIENCE);
      return;
    }
    const wait = statusesOf(this.#made, Buffer.concat(this.#received)).length > 0 ? SILENCE : FIRST_SILENCE;
    // What has come while this program was busy is read before the immediate, but not before the timer.
    this.#timer = setTimeout(() => setImmediate(() => silent() && this.#leave(true)), wait);
  }

  /** A machine that stands still keeps everybody waiting: only who is passed over has found something. */
  async #ask(silent: () => boolean): Promise<void> {
    // Whoever has no answer either is told of by its own finding.
    await this.#options.probe().catch(() => undefined);
    await sleep(GRACE);
    if (silent()) this.#leave(true, true);
  }

  #write(i: number): void {
    const piece = this.#made.pieces[i];
    if (this.#left) return;
    if (piece === undefined) {
      this.#writing = false;
      // What was written must leave before a reset throws it away.
      if (this.#made.ending === "close" || this.#made.ending === "reset") setImmediate(() => this.#leave(this.#made.ending === "close"));
      else if (satisfied(this.#made, Buffer.concat(this.#received))) this.#leave(false);
      else this.#listen();
      if (this.#made.ending === "end") this.#socket.end();
      return;
    }
    this.#socket.write(piece);
    if (this.#made.pause === 0) setImmediate(() => this.#write(i + 1));
    else this.#timer = setTimeout(() => this.#write(i + 1), this.#made.pause);
  }
}

/** Plays one case. */
export function play(made: HostileCase, options: PlayOptions): Promise<Played> {
  return new Promise((resolve) => void new Client(made, options, resolve));
}

/** Findings of one case. */
export function judge(made: HostileCase, { received, inVain, elapsed }: Played): { readonly statuses: readonly number[]; readonly findings: readonly string[] } {
  const statuses = statusesOf(made, received);
  if (inVain) return { statuses, findings: [`no answer within ${(PATIENCE + GRACE) / 1000} s, though others were answered; so far came ${JSON.stringify(received.toString("latin1").slice(0, 200))}`] };
  const wrong = statuses.filter((status) => !ordinary.has(status) && !made.alsoStatus?.includes(status));
  const findings = wrong.map((status) => `an answer of ${status}`);
  const first = statuses[0];
  if (made.firstStatus !== undefined && first !== undefined && !made.firstStatus.includes(first)) {
    findings.push(`answered ${first}, allowed are ${made.firstStatus.join(", ")}`);
  }
  if (made.ending === "answer" && made.whole !== undefined && !satisfied(made, received)) {
    findings.push(`closed without an answer to ${made.whole} whole requests after ${Math.round(elapsed)} ms; got ${JSON.stringify(received.toString("latin1").slice(0, 200))}`);
  }
  return { statuses, findings };
}

/** Statuses that any hostile request may get: what the module's reference lists, and nginx's own refusals. */
const ordinary = new Set([100, 101, 200, 400, 404, 405, 408, 411, 412, 413, 414, 415, 416, 417, 421, 431, 501, 505]);
