import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http2 from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A key and a certificate for 127.0.0.1, in a folder of their own. */
export class TestKeys {
  readonly folder = mkdtempSync(join(tmpdir(), "slipway-keys-"));

  constructor() {
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", join(this.folder, "key.pem")];
    execFileSync("openssl", ["req", "-x509", ...key, "-days", "2", "-out", join(this.folder, "cert.pem"), ...subject], { stdio: "ignore" });
  }

  get certificate(): Buffer {
    return readFileSync(join(this.folder, "cert.pem"));
  }

  /** nginx directives that use them. */
  get directives(): string {
    return `ssl_certificate ${this.folder}/cert.pem; ssl_certificate_key ${this.folder}/key.pem;`;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** An answer over HTTP/2. */
export interface Http2Reply {
  readonly status: number;
  readonly body: string;
}

/** One connection of HTTP/2, by prior knowledge or over TLS. */
export class Http2Client {
  readonly #session: http2.ClientHttp2Session;
  #error: Error | undefined;

  /** @param at origin, `https:` with the certificate to trust, or the path of a Unix socket for HTTP/2 in clear */
  constructor(at: string, ca?: Buffer) {
    const options = { ...(ca === undefined ? {} : { ca }), ...(at.startsWith("/") ? { createConnection: () => connect(at) } : {}) };
    this.#session = http2.connect(at.startsWith("/") ? "http://localhost" : at, options);
    this.#session.on("error", (error) => (this.#error = error));
  }

  /** Whether another request can go over it. */
  get usable(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  /**
   * Sends a request and reads its answer; each piece of the body is a write, and so a frame, of its own.
   * @throws when no answer comes
   */
  async request(headers: http2.OutgoingHttpHeaders, pieces: readonly Buffer[]): Promise<Http2Reply> {
    return new Promise<Http2Reply>((resolve, reject) => {
      const stream = this.#session.request(headers, { endStream: pieces.length === 0 });
      let status = 0;
      let body = "";
      stream.setEncoding("utf8");
      stream.on("response", (answer) => (status = Number(answer[":status"])));
      stream.on("data", (chunk: string) => (body += chunk));
      // A server that has answered may reset what is left of the request.
      stream.on("error", () => undefined);
      stream.on("close", () => (status === 0 ? reject(new Error("the stream ended before an answer", { cause: this.#error })) : resolve({ status, body })));
      for (const piece of pieces) stream.write(piece);
      if (pieces.length > 0) stream.end();
    });
  }

  destroy(): void {
    this.#session.destroy();
  }
}
