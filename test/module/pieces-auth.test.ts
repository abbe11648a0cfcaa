import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Answer, type Nginx, type NginxOptions, type Passed, withNginx } from "../helpers/nginx.ts";
import { digestField, piecesSite, sha256 } from "../helpers/pieces.ts";
import { fieldOf } from "../helpers/upload-site.ts";
import { exchange, head, WireClient, type WireAnswer } from "../helpers/wire.ts";

/** A service that is asked before each piece where it goes, and told after it what came; as Slipway's own. */
class Uploads {
  readonly lengths = new Map<string, number>();
  readonly offsets = new Map<string, number>();
  store = "";

  create(id: string, length: number): void {
    this.lengths.set(id, length);
    this.offsets.set(id, 0);
  }

  answer = (passed: Passed): Answer => (passed.url === "/auth" ? this.#authorize(passed) : this.#report(passed));

  #authorize({ headers }: Passed): Answer {
    const id = String(headers["x-original-uri"]).slice("/files/".length);
    const offset = this.offsets.get(id);
    if (offset === undefined) return { status: 403 };
    if (Number(headers["upload-offset"]) !== offset) return { status: 403 };
    return { status: 204, headers: { "X-Upload-Path": `${this.store}/${id}`, "X-Upload-Offset": `${offset}`, "X-Upload-Length": `${this.lengths.get(id)}` } };
  }

  #report(passed: Passed): Answer {
    const id = fieldOf(passed, "path")!.slice(this.store.length + 1);
    const offset = fieldOf(passed, "offset")!;
    this.offsets.set(id, Number(offset));
    return { status: 204, headers: { "Upload-Offset": offset, "X-Outcome": fieldOf(passed, "outcome")!, "X-Sha256": fieldOf(passed, "sha256")! } };
  }
}

const site = (uploads: Uploads, more: Partial<NginxOptions> = {}): NginxOptions =>
  piecesSite(
    { answer: uploads.answer, ...more },
    `
    location /files/ {
      auth_request /auth;
      auth_request_set $file_path $upstream_http_x_upload_path;
      auth_request_set $file_offset $upstream_http_x_upload_offset;
      auth_request_set $file_length $upstream_http_x_upload_length;
      upload_pass @done;
      upload_raw on;
      upload_raw_path $file_path;
      upload_raw_offset $file_offset;
      upload_raw_length $file_length;
      upload_reserve on;
    }
    location = /auth {
      internal;
      proxy_pass http://%UPSTREAM%/auth;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URI $request_uri;
    }`,
  );

async function withService(test: (nginx: Nginx, uploads: Uploads) => Promise<void>, more: Partial<NginxOptions> = {}): Promise<void> {
  const uploads = new Uploads();
  await withNginx(site(uploads, more), async (nginx) => {
    uploads.store = nginx.store;
    await test(nginx, uploads);
  });
}

const patchHead = (id: string, offset: number, length: number, extra: readonly string[] = []): Buffer =>
  head(`/files/${id}`, { method: "PATCH", type: "application/offset+octet-stream", length, extra: [`Upload-Offset: ${offset}`, ...extra] });

const patch = (nginx: Nginx, id: string, offset: number, bytes: Buffer, extra: readonly string[] = []): Promise<WireAnswer> => exchange(nginx.port, patchHead(id, offset, bytes.length, extra), bytes);

describe("module: pieces whose path, offset and length a service says in answer to auth_request", () => {
  it("come to their end, one after another, each from where the service says", async () => {
    await withService(async (nginx, uploads) => {
      const bytes = randomBytes(700_000);
      uploads.create("a", bytes.length);
      for (let offset = 0; offset < bytes.length; offset += 100_000) {
        const last = offset + 100_000 >= bytes.length;
        const answer = await patch(nginx, "a", offset, bytes.subarray(offset, offset + 100_000), last ? [`Repr-Digest: ${digestField(bytes)}`] : []);
        expect([answer.status, answer.headers["upload-offset"], answer.headers["x-outcome"]]).toEqual([204, `${offset + 100_000}`, last ? "complete" : "partial"]);
        expect(statSync(`${nginx.store}/a`).blocks * 512).toBeGreaterThanOrEqual(bytes.length);
        expect(answer.headers["x-sha256"]).toBe(sha256(bytes.subarray(0, offset + 100_000)));
      }
      expect(readFileSync(`${nginx.store}/a`).equals(bytes)).toBe(true);
    });
  });

  it("go on from the offset that the service was told when the client went away", async () => {
    await withService(async (nginx, uploads) => {
      const bytes = randomBytes(2_000_000);
      uploads.create("b", bytes.length);
      for (let interrupted = 0; interrupted < 4; interrupted++) {
        const offset = uploads.offsets.get("b")!;
        const client = await WireClient.open(nginx.port);
        client.write(Buffer.concat([patchHead("b", offset, bytes.length - offset), bytes.subarray(offset, offset + 300_000)]));
        await nginx.until(() => statSync(`${nginx.store}/b`, { throwIfNoEntry: false })?.size! > offset + 150_000, "some of it");
        client.destroy();
        await nginx.until(() => uploads.offsets.get("b")! > offset, "the report");
      }
      const offset = uploads.offsets.get("b")!;
      const answer = await patch(nginx, "b", offset, bytes.subarray(offset));
      expect([answer.headers["x-outcome"], answer.headers["x-sha256"]]).toEqual(["complete", sha256(bytes)]);
      expect(readFileSync(`${nginx.store}/b`).equals(bytes)).toBe(true);
    });
  });

  it("are refused with the service's status before a byte is written", async () => {
    await withService(
      async (nginx, uploads) => {
        uploads.create("c", 10);
        expect((await patch(nginx, "unknown", 0, Buffer.alloc(10))).status).toBe(403);
        expect((await patch(nginx, "c", 5, Buffer.alloc(5))).status).toBe(403);
        expect((await patch(nginx, "c", 0, Buffer.alloc(300_000))).status).toBe(413);
        expect(nginx.passed.map(({ url }) => url)).toEqual(["/auth", "/auth", "/auth"]);
      },
      { keepsFiles: false },
    );
  });

  it("that are sent twice at once are taken from the newer one", async () => {
    await withService(async (nginx, uploads) => {
      const bytes = randomBytes(500_000);
      uploads.create("d", bytes.length);
      const older = await WireClient.open(nginx.port);
      older.write(Buffer.concat([patchHead("d", 0, bytes.length), Buffer.alloc(200_000, "x")]));
      await nginx.until(() => statSync(`${nginx.store}/d`, { throwIfNoEntry: false })?.size! > 0, "the older one to write");
      expect((await patch(nginx, "d", 0, bytes)).headers["x-sha256"]).toBe(sha256(bytes));
      older.write(Buffer.alloc(300_000, "x"));
      expect((await older.answer()).status).toBe(409);
      older.destroy();
      expect(uploads.offsets.get("d")).toBe(bytes.length);
      expect(readFileSync(`${nginx.store}/d`).equals(bytes)).toBe(true);
    });
  });
});
