import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { fieldBlock, flags, frame, frameTypes, preface, settings, statusesIn } from "../hostile/frames.ts";
import { boundary } from "./wire.ts";

/** The frames of an upload: the request's head, then DATA frames, the last with END_STREAM unless more is to come. */
export function uploadFrames(path: string, body: Buffer, whole = true): Buffer[] {
  const size = 16_384;
  const fields = [[":method", "POST"], [":scheme", "http"], [":path", path], [":authority", "localhost"], ["content-type", `multipart/form-data; boundary=${boundary}`]] as const;
  const frames = [frame(frameTypes.headers, flags.endHeaders, 1, fieldBlock(fields))];
  for (let at = 0; at < body.length; at += size) {
    frames.push(frame(frameTypes.data, whole && at + size >= body.length ? flags.endStream : 0, 1, body.subarray(at, at + size)));
  }
  return frames;
}

/** What every connection of HTTP/2 begins with. */
export const connectionStart = Buffer.concat([preface, settings()]);

/** A client of HTTP/2 that writes what it is given, frame or not. */
export class FrameClient {
  readonly #socket: Socket;
  readonly #received: Buffer[] = [];
  #wake: () => void = () => undefined;
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (data) => {
      this.#received.push(data);
      this.#wake();
    });
    for (const event of ["error", "close"]) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  /** @param ca certificate to trust; with it the connection is TLS */
  static async open(port: number, ca?: Buffer): Promise<FrameClient> {
    const socket = ca === undefined ? connect(port, "127.0.0.1") : connectTls({ port, host: "127.0.0.1", ca, ALPNProtocols: ["h2"] });
    const ready = ca === undefined ? "connect" : "secureConnect";
    await new Promise<void>((resolve, reject) => socket.once(ready, resolve).once("error", reject));
    return new FrameClient(socket);
  }

  write(bytes: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Sends a TCP reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Status of the first answer. @throws when the connection ends before */
  async status(): Promise<number> {
    for (;;) {
      const status = statusesIn(Buffer.concat(this.#received))[0];
      if (status !== undefined) return status;
      if (this.#ended) throw new Error("the connection ended before an answer");
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Uploads a body of less than 64 KiB on a connection of its own. @returns the answer's status */
export async function http2Upload(port: number, path: string, body: Buffer): Promise<number> {
  const client = await FrameClient.open(port);
  try {
    client.write(Buffer.concat([connectionStart, ...uploadFrames(path, body)]));
    return await client.status();
  } finally {
    client.destroy();
  }
}
