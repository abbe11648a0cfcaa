/** Where the records of a TLS connection end, as who passes its bytes on sees them (RFC 8446, section 5.1). */

const HEADER = 5;

export class TlsRecords {
  readonly #ends: number[] = [];
  #header: number[] = [];
  #left = 0;
  #passed = 0;

  /** Bytes that went by. */
  get passed(): number {
    return this.#passed;
  }

  /** Takes the next bytes of one direction of a connection. */
  take(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#left > 0) {
        const length = Math.min(this.#left, bytes.length - at);
        at += length;
        this.#left -= length;
      } else {
        this.#header.push(bytes[at]!);
        at += 1;
        if (this.#header.length < HEADER) continue;
        this.#left = this.#header[3]! * 256 + this.#header[4]!;
        this.#header = [];
      }
      if (this.#left === 0) this.#ends.push(this.#passed + at);
    }
    this.#passed += bytes.length;
  }

  /** End of the last record that lies whole in the first bytes: what comes after it nobody can read. */
  wholeIn(first: number): number {
    return this.#ends.findLast((end) => end <= first) ?? 0;
  }
}
