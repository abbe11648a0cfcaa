import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withNginx } from "../helpers/nginx.ts";
import { digestField, sha256 } from "../helpers/pieces.ts";
import { uploadSite } from "../helpers/upload-site.ts";
import { exchange, form, post, type WireAnswer } from "../helpers/wire.ts";

const contents = [randomBytes(700_000), randomBytes(1), randomBytes(3_000_000)];
const body = form([{ disposition: 'name="note"', body: "a field" }, ...contents.map((content, i) => ({ disposition: `name="f${i}"; filename="${i}.bin"`, body: content }))]);
const other = Buffer.from(body);
other[body.length - 100_000]! ^= 1;

const settings = [
  ["by the worker", "upload_thread_pool off;"],
  ["while threads hash the files", 'upload_aggregate_form_field $upload_field_name.sha256 "$upload_file_sha256";'],
  ["through a small buffer", "client_body_buffer_size 1k; upload_buffer_size 4k;"],
] as const;

describe("module: a form with a Content-Digest", () => {
  it.each(settings)("is taken when its body is what the digest says, and leaves nothing when it is not, %s", async (_, directives) => {
    await withNginx(uploadSite(directives), async (nginx) => {
      const send = (bytes: Buffer, ...digests: string[]): Promise<WireAnswer> => exchange(nginx.port, post("/upload", bytes, { extra: digests.map((digest) => `Content-Digest: ${digest}`) }));

      expect((await send(other, digestField(body))).status).toBe(400);
      expect((await send(body, digestField(body), digestField(other, "sha-512"))).status).toBe(400);
      expect((await send(body, digestField(contents[0]!))).status).toBe(400);
      expect((await send(body, "sha-256=:AAAA:")).status).toBe(400);
      expect([nginx.files(), nginx.passed]).toEqual([[], []]);

      expect((await send(body, digestField(body), digestField(body, "sha-512"))).status).toBe(200);
      expect((await send(body, "md5=:AAAA:")).status).toBe(200);
      expect(new Set(nginx.files().map((file) => sha256(readFileSync(file))))).toEqual(new Set(contents.map(sha256)));
      expect(nginx.passed).toHaveLength(2);
    });
  });
});
