/** Requests in tus 1.0.0 to a site, and what is to have become of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Answer, send } from "./e2e-client.ts";
import { sha256 } from "./e2e-files.ts";
import type { LocalTestSite } from "./e2e-local.ts";

export const octets = "application/offset+octet-stream";
export const base64 = (text: string): string => Buffer.from(text).toString("base64");

export interface TusRequests {
  readonly tus: (method: string, path: string, headers?: Readonly<Record<string, string>>, body?: Buffer) => Promise<Answer>;
  /** Makes an upload. @returns its address */
  readonly created: (headers: Readonly<Record<string, string>>) => Promise<string>;
  readonly patch: (path: string, offset: number, body: Buffer, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  /** Fails unless these bytes are the one file that the site has. */
  readonly expectFiled: (bytes: Buffer) => void;
}

/** @param site the one that is asked, looked up at each request */
export function tusRequests(site: () => LocalTestSite): TusRequests {
  const tus: TusRequests["tus"] = (method, path, headers = {}, body) =>
    send(site(), path, { method, headers: { "tus-resumable": "1.0.0", ...headers }, ...(body === undefined ? {} : { body }) });
  return {
    tus,
    async created(headers) {
      const answer = await tus("POST", "/tus/", headers);
      expect(answer.status, answer.text).toBe(201);
      return answer.headers["location"] ?? "";
    },
    patch: (path, offset, body, headers = {}) => tus("PATCH", path, { "content-type": octets, "upload-offset": String(offset), ...headers }, body),
    expectFiled(bytes) {
      const { rows } = site().kept();
      expect(rows.map(({ checksums, size, state }) => [checksums["sha256"], size, state])).toEqual([[sha256(bytes), bytes.length, "complete"]]);
      expect(sha256(readFileSync(join(site().site.store, "files", rows[0]!.target)))).toBe(sha256(bytes));
    },
  };
}
