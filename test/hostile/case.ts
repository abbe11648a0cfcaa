import type { Random } from "./random.ts";

/**
 * How the client leaves: reads an answer first; waits for all that may still come; says that it has no more to say and
 * then waits; closes or resets at once.
 */
export type Ending = "answer" | "silence" | "end" | "close" | "reset";

/** What a hostile client does on one connection. */
export interface HostileCase {
  /** The server's port: HTTP/1.1 or HTTP/2 in clear. */
  readonly port: "http1" | "http2";
  /** What is written, piece by piece. */
  readonly pieces: readonly Buffer[];
  /** Milliseconds between two pieces; 0 is the next turn of the event loop. */
  readonly pause: number;
  readonly ending: Ending;
  /** Statuses beside those that any case may get. @default none */
  readonly alsoStatus?: readonly number[];
  /** The only statuses that the first answer may have. @default any */
  readonly firstStatus?: readonly number[];
  /**
   * How many requests the client has sent to their ends, so that each must be answered; over HTTP/2 a reset stream is
   * an answer as well. They are waited for with the ending "answer". @default 0: some are unfinished
   */
  readonly whole?: number;
  /** Whether all this goes through TLS. @default false */
  readonly tls?: boolean;
}

/** A kind of hostile client. */
export interface Generator {
  readonly name: string;
  /** How many times as often as a generator of weight 1. */
  readonly weight: number;
  /** @param index number of the case, for what is to differ as the storm goes on */
  readonly make: (random: Random, index: number) => HostileCase;
}

/** A case of HTTP/1.1 whose pieces are sent as fast as they can. */
export function http1(pieces: readonly (Buffer | string)[], ending: Ending = "answer", more: Partial<HostileCase> = {}): HostileCase {
  const buffers = pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece, "latin1") : piece));
  return { port: "http1", pieces: buffers, pause: 0, ending, ...more };
}

/** Cuts bytes into one to five pieces. */
export function cut(random: Random, bytes: Buffer): Buffer[] {
  const cuts = Array.from({ length: random.integer(0, 4) }, () => random.integer(0, bytes.length)).sort((a, b) => a - b);
  return [0, ...cuts].map((from, i) => bytes.subarray(from, cuts[i] ?? bytes.length)).filter((piece) => piece.length > 0);
}
