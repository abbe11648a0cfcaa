import { createHash } from "node:crypto";
import { request } from "node:https";
import { isIP } from "node:net";
import type { IncomingMessage } from "node:http";

/** How to reach a site: by its own name, whatever that resolves to on this machine. */
export interface SiteAddress {
  /** Name or address in the certificate. */
  readonly host: string;
  /** IP address to connect to. */
  readonly address: string;
  readonly port: number;
  /** CA to trust, PEM. @default the system's CAs */
  readonly ca?: Buffer;
}

export interface SiteAnswer {
  readonly status: number;
  readonly body: string;
}

const TIMEOUT_MS = 5_000;

/** Asks the site for a path. Rejects when no answer comes within five seconds. */
export async function get(site: SiteAddress, path: string): Promise<SiteAnswer> {
  const response = await open(site, path);
  const parts: Buffer[] = [];
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
  return { status: response.statusCode ?? 0, body: Buffer.concat(parts).toString("utf8") };
}

/** Downloads a path and returns the hex SHA-256 of what came, and its size in bytes. */
export async function download(site: SiteAddress, path: string): Promise<{ status: number; size: number; sha256: string }> {
  const response = await open(site, path);
  const hash = createHash("sha256");
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    hash.update(part);
    size += part.length;
  }
  return { status: response.statusCode ?? 0, size, sha256: hash.digest("hex") };
}

function open(site: SiteAddress, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: site.address,
        port: site.port,
        path,
        servername: isIP(site.host) === 0 ? site.host : "",
        headers: { Host: site.port === 443 ? site.host : `${site.host}:${site.port}`, Accept: "application/json", Connection: "close" },
        agent: false,
        timeout: TIMEOUT_MS,
        ...(site.ca === undefined ? {} : { ca: site.ca }),
      },
      resolve,
    );
    outgoing.once("timeout", () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    outgoing.once("error", reject);
    outgoing.end();
  });
}
