import { mkdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cannotMount, withTmpfs } from "../helpers/faults.ts";
import { connectionStart, FrameClient, http2Upload } from "../helpers/hostile-http2.ts";
import { filesBelow, type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { readState, sendPiece } from "../helpers/pieces.ts";
import { fieldOf, uploadServer } from "../helpers/upload-site.ts";
import { chunked, exchange, form, head, type HeadOptions, type Part, post, WireClient } from "../helpers/wire.ts";
import { fieldBlock, flags, frame, frameTypes } from "../hostile/frames.ts";

const file: Part = { disposition: 'name="file"; filename="a"', body: "content" };
const field: Part = { disposition: 'name="field"', body: "value" };
const noFile: Part = { disposition: 'name="none"; filename=""', body: "" };
const times = (count: number, part: Part): Part[] => Array.from({ length: count }, () => part);

describe("module: upload_max_parts and upload_max_fields", () => {
  const site: NginxOptions = {
    server: `upload_store %STORE%; upload_max_parts 4; upload_max_fields 2; upload_pass @done;
      location /both { upload_pass @done; }
      location /parts { upload_pass @done; upload_max_fields 100; }
      location /fields { upload_pass @done; upload_max_parts 100; }
      location /neither { upload_pass @done; upload_max_parts 100; upload_max_fields 100; }
      location @done { proxy_pass http://%UPSTREAM%; }`,
    // What is taken goes as well: what is left has been forgotten.
    http: "upload_cleanup 200;",
  };

  it.each([
    ["/parts", "files", times(4, file), times(5, file)],
    ["/parts", "fields", times(4, field), times(5, field)],
    ["/parts", "both", [...times(3, file), field], [...times(4, file), field]],
    ["/parts", "both, a file last", [field, ...times(3, file)], [field, ...times(4, file)]],
    ["/fields", "fields", times(2, field), times(3, field)],
    ["/fields", "fields behind files", [...times(20, file), ...times(2, field)], [...times(20, file), ...times(3, field)]],
    ["/fields", "fields, with inputs that have no file", [noFile, field], [noFile, field, noFile]],
    ["/both", "files", times(4, file), times(5, file)],
    ["/both", "fields", times(2, field), times(3, field)],
  ] as const)("%s takes as many %s as it says, and refuses one more", async (path, _, most, more) => {
    await withNginx(site, async ({ port, passed, until, files }) => {
      for (const send of [(parts: readonly Part[], to: string) => exchange(port, post(to, form(parts))), (parts: readonly Part[], to: string) => exchange(port, head(to, { extra: ["Transfer-Encoding: chunked"] }), chunked(form(parts), 50))]) {
        const before = passed.length;
        expect((await send(most, path)).status).toBe(200);
        expect((await send(more, path)).status).toBe(413);
        expect(passed).toHaveLength(before + 1);
        expect((await send(more, "/neither")).status).toBe(200);
        await until(() => files().length === 0, "the files to go");
      }
    });
  });
});

const KIB = 1024;
const DISK = 512 * KIB;
const FREE = 256 * KIB;
const type = "application/octet-stream";

/** One way to bring bytes: the request for a body of so many bytes, and the body. */
interface Way {
  readonly path: string;
  readonly head: (length: number) => HeadOptions;
  readonly body: (bytes: Buffer) => Buffer;
}

const same = (bytes: Buffer): Buffer => bytes;

const ways: Readonly<Record<string, Way>> = {
  "a form": { path: "/form", head: () => ({}), body: (bytes) => form([{ ...file, body: bytes }]) },
  "a body": { path: "/raw", head: () => ({ method: "PUT", type }), body: same },
  "a segment": {
    path: "/ranged",
    head: (length) => ({ type, extra: ["Session-ID: session", `Content-Range: bytes 0-${length - 1}/${length}`] }),
    body: same,
  },
};
const names = Object.keys(ways);

const spaceSite = (more: Partial<NginxOptions> = {}): NginxOptions => ({
  listen: "listen 127.0.0.1:%PORT%; listen 127.0.0.1:%TLS_PORT% http2;",
  server: `
    upload_store %STORE%/files; upload_min_free_space ${FREE}; upload_buffer_size 64k; client_body_buffer_size 16k; client_body_timeout 10s;
    upload_set_form_field path "$upload_tmp_path"; upload_aggregate_form_field size "$upload_file_size";
    location /form { upload_pass @done; }
    location /raw { upload_pass @done; upload_raw on; }
    location /ranged { upload_pass @done; upload_resumable on; }
    location /full { upload_pass @done; upload_raw on; upload_min_free_space 0; }
    location @done { proxy_pass http://%UPSTREAM%; }`,
  keepsFiles: true,
  expectLog: /upload: write\(\) ".*" failed \(28:/,
  ...more,
});

/** Files of an nginx whose store is a small disk. */
const onDisk = ({ store }: Nginx): string[] => filesBelow(`${store}/files`);

async function withDisk(test: (nginx: Nginx) => Promise<void>): Promise<void> {
  await withNginx(spaceSite(), async (nginx) => {
    mkdirSync(`${nginx.store}/files`);
    await withTmpfs(`${nginx.store}/files`, DISK, () => test(nginx));
  });
}

/** A request whose body comes in chunks. */
const chunks = (path: string, options: HeadOptions, body: Buffer): Buffer => Buffer.concat([head(path, { ...options, extra: [...(options.extra ?? []), "Transfer-Encoding: chunked"] }), chunked(body, 10_000)]);

const skipped = cannotMount === undefined ? "" : ` (skipped: ${cannotMount})`;

describe.skipIf(cannotMount !== undefined)(`module: upload_min_free_space${skipped}`, () => {
  /** The disk has room for it, but not beside what is to stay free. */
  const large = Buffer.alloc(DISK - FREE + 4 * KIB, "large");
  const small = Buffer.alloc(100 * KIB, "small");

  it.each(names)("refuses %s that cannot fit before it asks for its body", async (name) => {
    const way = ways[name]!;
    await withDisk(async (nginx) => {
      for (const [bytes, statuses] of [[large, [507]], [small, [100, 200]]] as const) {
        const body = way.body(bytes);
        const { extra = [], ...options } = way.head(bytes.length);
        const client = await WireClient.open(nginx.port);
        client.write(head(way.path, { ...options, length: body.length, extra: [...extra, "Expect: 100-continue"] }));
        for (const status of statuses) {
          expect((await client.answer()).status).toBe(status);
          if (status === 100) client.write(body);
          if (status === 507) expect(onDisk(nginx)).toEqual([]);
        }
        client.destroy();
      }
      expect(fieldOf(nginx.passed[0], "size")).toBe(`${small.length}`);
      expect(nginx.passed).toHaveLength(1);
    });
  });

  it("takes what leaves just as much as it says", async () => {
    await withDisk(async ({ port, passed }) => {
      const most = Buffer.alloc(DISK - FREE, "most");
      expect((await exchange(port, post("/raw", Buffer.concat([most, Buffer.alloc(1)]), { method: "PUT", type }))).status).toBe(507);
      expect((await exchange(port, post("/raw", most, { method: "PUT", type }))).status).toBe(200);
      expect(readFileSync(fieldOf(passed[0], "path")!).equals(most)).toBe(true);
      // Now it is not free any more.
      expect((await exchange(port, post("/raw", Buffer.alloc(1), { method: "PUT", type }))).status).toBe(507);
    });
  });

  it("refuses over HTTP/2 before the body comes, too", async () => {
    await withDisk(async (nginx) => {
      const client = await FrameClient.open(nginx.tlsPort);
      const fields = [[":method", "PUT"], [":scheme", "http"], [":path", "/raw"], [":authority", "localhost"], ["content-length", `${large.length}`]] as const;
      client.write(Buffer.concat([connectionStart, frame(frameTypes.headers, flags.endHeaders, 1, fieldBlock(fields))]));
      expect(await client.status()).toBe(507);
      client.destroy();
      expect(onDisk(nginx)).toEqual([]);
    });
  });

  it.each(names)("ends %s of an unknown length where it would go below", async (name) => {
    const { path, head: options, body } = ways[name]!;
    await withDisk(async (nginx) => {
      expect((await exchange(nginx.port, chunks(path, options(large.length), body(large)))).status).toBe(507);
      expect(onDisk(nginx)).toEqual([]);
      expect(nginx.passed).toEqual([]);
      expect((await exchange(nginx.port, chunks(path, options(small.length), body(small)))).status).toBe(200);
      const { bavail, bsize } = statfsSync(`${nginx.store}/files`);
      expect(bavail * bsize).toBeGreaterThanOrEqual(FREE);
    });
  });

  it("does so over HTTP/2, and not where it is said to be 0", async () => {
    await withDisk(async (nginx) => {
      const [one, two] = [large.subarray(0, 60 * KIB), large.subarray(0, 40 * KIB)];
      writeFileSync(`${nginx.store}/files/filler`, Buffer.alloc(DISK - FREE - 48 * KIB));
      expect(await http2Upload(nginx.tlsPort, "/form", form([{ ...file, body: one }]))).toBe(507);
      expect(onDisk(nginx)).toEqual([`${nginx.store}/files/filler`]);
      expect(await http2Upload(nginx.tlsPort, "/form", form([{ ...file, body: two }]))).toBe(200);
      expect((await exchange(nginx.port, chunks("/full", { method: "PUT", type }, large.subarray(0, FREE)))).status).toBe(200);
      expect(nginx.passed).toHaveLength(2);
    });
  });

  it.each(names)("ends %s whose length did fit, when others take the space", async (name) => {
    const way = ways[name]!;
    await withDisk(async (nginx) => {
      const body = way.body(small);
      const client = await WireClient.open(nginx.port);
      client.write(head(way.path, { ...way.head(small.length), length: body.length, extra: [...(way.head(small.length).extra ?? []), "Expect: 100-continue"] }));
      expect((await client.answer()).status).toBe(100);
      const filler = `${nginx.store}/files/filler`;
      writeFileSync(filler, Buffer.alloc(DISK - FREE - 40 * KIB));
      client.write(body);
      expect((await client.answer()).status).toBe(507);
      client.destroy();
      expect(onDisk(nginx)).toEqual([filler]);
      expect(nginx.passed).toEqual([]);
    });
  });
});

describe("module: upload_checksums", () => {
  const site: NginxOptions = {
    server: `
      upload_store %STORE%; upload_raw on; upload_raw_path $http_x_path; upload_raw_offset $http_x_offset; upload_raw_length $http_x_length;
      upload_checksums %CHECKSUMS%;
      location /piece { upload_pass @done; }
      location @done { proxy_pass http://%UPSTREAM%; }`,
    keepsFiles: true,
  };
  const bytes = Buffer.from("content");

  it.each([
    ["off", []],
    ["md5", ["md5"]],
    ["crc32 sha1", ["sha1", "crc32"]],
    ["sha256 sha512", ["sha256", "sha512"]],
    ["md5 sha1 sha256 sha512 crc32", ["md5", "sha1", "sha256", "sha512", "crc32"]],
  ] as const)("%s: the state of a file in pieces lists %j", async (checksums, algorithms) => {
    await withNginx({ ...site, server: site.server.replace("%CHECKSUMS%", checksums) }, async ({ port, store }) => {
      for (const [from, to] of [[0, 3], [3, 7]] as const) {
        expect((await sendPiece(port, `${store}/file`, bytes, from, to)).status).toBe(200);
        expect(readState(`${store}/file.state`)).toMatchObject({ algorithms, ranges: [[0, to]] });
      }
    });
  });

  it("is replaced by a location's own, also by off", async () => {
    const server = site.server.replace("%CHECKSUMS%", "md5").replace("location /piece { upload_pass @done; }", "location /piece { upload_pass @done; upload_checksums off; }");
    await withNginx({ ...site, server }, async ({ port, store }) => {
      expect((await sendPiece(port, `${store}/file`, bytes, 0)).status).toBe(200);
      expect(readState(`${store}/file.state`).algorithms).toEqual([]);
    });
  });
});

it("module: the classic server has room for 10,000 parts, and no more", async () => {
  await withNginx({ server: uploadServer("", "") }, async ({ port, passed }) => {
    expect((await exchange(port, post("/upload", form(times(10_000, field))))).status).toBe(200);
    expect((await exchange(port, post("/upload", form(times(10_001, field))))).status).toBe(413);
    expect(passed).toHaveLength(1);
  });
});
