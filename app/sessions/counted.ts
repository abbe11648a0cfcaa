/** The uploads that nginx counts as they come, as it tells them to the service. */
import type { IncomingMessage } from "node:http";

/** Most bytes of the list: nginx names 500 uploads, each in less than 2 KiB. */
const mostBytes = 1024 * 1024;

/** A request that brings bytes. */
export interface CountedUpload {
  /** The client's `X-Progress-ID`, or the id of the request. */
  readonly id: string;
  /** Whether the client chose the id. */
  readonly given: boolean;
  readonly name: string;
  /** Bytes of the body that have come. */
  readonly received: number;
  /** Bytes of the body; null while it is not known. */
  readonly size: number | null;
  /** Seconds since 1970. */
  readonly started: number;
  /** `piece`: of a file that a session of ours stands for. */
  readonly protocol: "form" | "raw" | "piece" | "ranged";
}

/**
 * Reads the list, newest first; an empty body, of an nginx that counts nothing, is an empty list.
 * @throws {Error} when it is not what nginx writes
 */
export async function readCounted(request: IncomingMessage): Promise<readonly CountedUpload[]> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error(`the list of uploads under way is longer than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  if (text === "") return [];
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new Error(`not a list of uploads under way: ${text.slice(0, 200)}`);
  return list as CountedUpload[];
}
