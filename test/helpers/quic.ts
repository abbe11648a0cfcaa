/** A client of HTTP/3 that a test leads step by step: test/fixtures/quic/client.py. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { pinnedPackages } from "./e2e-python.ts";

const fixture = join(import.meta.dirname, "../fixtures/quic");

/** What came back on a stream, and with what it ended. */
export interface QuicAnswer {
  /** null: none came */
  readonly status: number | null;
  readonly body: string;
  readonly ended: "answer" | "reset" | "connection";
}

type Result = Partial<QuicAnswer> & { readonly id: number; readonly error?: string; readonly stream?: number };

/** One request on a connection, and ways to give it up. */
export class QuicRequest {
  readonly #tell: (command: object) => Promise<Result>;

  constructor(tell: (command: object) => Promise<Result>) {
    this.#tell = tell;
  }

  /** @param end whether they are the body's last bytes */
  async send(bytes: Buffer, end = false): Promise<void> {
    await this.#tell({ do: "send", data: bytes.toString("base64"), end });
  }

  async answer(): Promise<QuicAnswer> {
    const { status = null, body = "", ended = "connection" } = await this.#tell({ do: "answer" });
    return { status, body, ended };
  }

  /** RESET_STREAM (RFC 9000, section 19.4). */
  async reset(): Promise<void> {
    await this.#tell({ do: "reset" });
  }

  /** STOP_SENDING (RFC 9000, section 19.5). */
  async stop(): Promise<void> {
    await this.#tell({ do: "stop" });
  }

  /** The connection ends, and says so. */
  async close(): Promise<void> {
    await this.#tell({ do: "close" });
  }

  /** The connection ends without a word. */
  async vanish(): Promise<void> {
    await this.#tell({ do: "vanish" });
  }
}

/** A process with connections of HTTP/3 to one port of 127.0.0.1. */
export class QuicClient {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, (result: Result) => void>();
  #commands = 0;
  #connections = 0;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#process = child;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const result = JSON.parse(line) as Result;
      this.#waiting.get(result.id)?.(result);
    });
    child.on("exit", (code) => {
      for (const [id, resolve] of this.#waiting) resolve({ id, error: `the client ended with ${code}` });
    });
  }

  /** @param ca file with the certificate to trust */
  static async start(port: number, ca: string): Promise<QuicClient> {
    const packages = await pinnedPackages("quic", join(fixture, "requirements.txt"));
    const env = { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1" };
    return new QuicClient(spawn("python3", [join(fixture, "client.py"), `${port}`, ca], { stdio: ["pipe", "pipe", "inherit"], env }));
  }

  async #tell(command: object): Promise<Result> {
    const id = this.#commands++;
    const result = await new Promise<Result>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#process.stdin.write(`${JSON.stringify({ id, ...command })}\n`);
    });
    this.#waiting.delete(id);
    if (result.error !== undefined) throw new Error(result.error);
    return result;
  }

  /** Opens a connection. @returns its name */
  async open(): Promise<string> {
    const on = `${this.#connections++}`;
    await this.#tell({ do: "open", on });
    return on;
  }

  /** Begins a request on a connection; its body is sent piece by piece. */
  async request(on: string, method: string, path: string, headers: Readonly<Record<string, string>>): Promise<QuicRequest> {
    const pseudo = { ":method": method, ":scheme": "https", ":authority": "127.0.0.1", ":path": path };
    const { stream } = await this.#tell({ do: "request", on, headers: Object.entries({ ...pseudo, ...headers }) });
    return new QuicRequest((command) => this.#tell({ on, stream, ...command }));
  }

  stop(): void {
    this.#process.kill("SIGKILL");
  }
}
