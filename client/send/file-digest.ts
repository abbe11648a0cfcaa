/** SHA-256 of a file whose bytes are sent in any order and any number of attempts: each byte is hashed once. */
import { createHash } from "node:crypto";
import { bytesOf } from "./local-file.ts";
import type { Source } from "./source.ts";

/**
 * Bytes that are sent where the digest stands are hashed as they go by. For those that are sent further on, the digest
 * reads the file from where it stands up to there: just before or after they are sent, so the disk reads them once.
 */
export class FileDigest {
  readonly #source: Source;
  readonly #signal: AbortSignal;
  readonly #hash = createHash("sha256");
  #hashed = 0;
  #wanted = 0;
  #following: Promise<void> | undefined;
  #error: unknown;

  /** @param signal stops the reading */
  constructor(source: Source, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
  }

  /** Takes bytes that are sent from an offset on. */
  take(offset: number, bytes: Buffer): void {
    if (offset <= this.#hashed) this.#update(offset, bytes);
    else this.#follow(offset + bytes.length);
  }

  /** The digest of the whole file in hex; may be asked for once. @throws {SendError} when it cannot be read */
  async end(): Promise<string> {
    while (this.#hashed < this.#source.size) {
      this.#follow(this.#source.size);
      await this.#following;
      if (this.#error !== undefined) throw this.#error;
      this.#signal.throwIfAborted();
    }
    return this.#hash.digest("hex");
  }

  #update(offset: number, bytes: Buffer): void {
    const fresh = bytes.subarray(Math.max(0, this.#hashed - offset));
    if (fresh.length === 0) return;
    this.#hash.update(fresh);
    this.#hashed += fresh.length;
  }

  #follow(end: number): void {
    this.#wanted = Math.max(this.#wanted, end);
    if (this.#error !== undefined || this.#signal.aborted) return;
    this.#following ??= this.#read().catch((error: unknown) => void (this.#error = error)).finally(() => (this.#following = undefined));
  }

  async #read(): Promise<void> {
    while (this.#hashed < this.#wanted) {
      let at = this.#hashed;
      for await (const bytes of bytesOf(this.#source, at, this.#wanted)) {
        if (this.#signal.aborted) return;
        this.#update(at, bytes);
        at += bytes.length;
      }
    }
  }
}
