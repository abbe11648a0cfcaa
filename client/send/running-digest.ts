/** SHA-256 of a file that is sent in any number of attempts: each byte is hashed once. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { READ_SIZE } from "./http.ts";

export class RunningDigest {
  readonly #hash = createHash("sha256");
  #hashed = 0;

  /** Takes bytes from an offset on; those that were taken before count once. */
  take(offset: number, bytes: Buffer): void {
    const fresh = bytes.subarray(Math.max(0, this.#hashed - offset));
    if (fresh.length === 0) return;
    this.#hash.update(fresh);
    this.#hashed += fresh.length;
  }

  /** Reads what lies before an offset and has not been taken: what an earlier run sent. */
  async catchUp(path: string, offset: number): Promise<void> {
    if (this.#hashed >= offset) return;
    for await (const bytes of createReadStream(path, { start: this.#hashed, end: offset - 1, highWaterMark: READ_SIZE }) as AsyncIterable<Buffer>) {
      this.take(this.#hashed, bytes);
    }
  }

  /** The digest in hex; may be asked for once. */
  end(): string {
    return this.#hash.digest("hex");
  }
}
