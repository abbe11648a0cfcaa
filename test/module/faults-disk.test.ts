import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cannotMount, withTmpfs } from "../helpers/faults.ts";
import { http2Upload } from "../helpers/hostile-http2.ts";
import { type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { classicFields, fieldOf } from "../helpers/upload-site.ts";
import { chunked, exchange, form, head, post, WireClient } from "../helpers/wire.ts";

const PAGE = 4096;

/** Options of a server that stores below %STORE%/files with one level of directories, over HTTP/1.1 and HTTP/2. */
const site = (directives = "", more: Partial<NginxOptions> = {}): NginxOptions => ({
  listen: "listen 127.0.0.1:%PORT%; listen 127.0.0.1:%TLS_PORT% http2;",
  server: `
    location /upload {
      upload_pass @done;
      upload_store %STORE%/files 1;
      ${classicFields}
      upload_pass_form_field "^note$";
      ${directives}
    }
    location @done { proxy_pass http://%UPSTREAM%; }`,
  keepsFiles: true,
  expectLog: /upload: \w+\(\) "/,
  ...more,
});

/** One way to send a body; the answer's status. */
type Send = (nginx: Nginx, body: Buffer) => Promise<number>;

const ways: Readonly<Record<string, Send>> = {
  "a length": async ({ port }, body) => (await exchange(port, post("/upload", body))).status,
  chunks: async ({ port }, body) => (await exchange(port, head("/upload", { extra: ["Transfer-Encoding: chunked"] }), chunked(body, 700))).status,
  "HTTP/2": ({ tlsPort }, body) => http2Upload(tlsPort, "/upload", body),
};

const files = (nginx: Nginx): string => join(nginx.store, "files");

async function withSite(options: NginxOptions, test: (nginx: Nginx) => Promise<void>): Promise<void> {
  await withNginx(options, async (nginx) => {
    mkdirSync(files(nginx));
    await test(nginx);
  });
}

const clear = (nginx: Nginx): void => {
  for (const path of nginx.files()) rmSync(path);
};

const pagesOf = (contents: readonly Buffer[]): number => contents.reduce((pages, { length }) => pages + Math.ceil(length / PAGE), 0);

const contentsOf = (sizes: readonly number[]): Buffer[] => sizes.map((size, i) => Buffer.alloc(size, `${i}file`));

const formOf = (contents: readonly Buffer[]): Buffer =>
  form([...contents.map((body, i) => ({ disposition: `name="f${i}"; filename="${i}"`, body })), { disposition: 'name="note"', body: "behind" }]);

const skipped = cannotMount === undefined ? "" : ` (skipped: ${cannotMount})`;

describe.skipIf(cannotMount !== undefined)(`module: a disk that is full at each of its pages${skipped}`, () => {
  /** Sizes of files: the space ends in the first write, between writes, in the last part of a page, in a later file. */
  const shapes: readonly (readonly number[])[] = [[5 * PAGE], [2 * PAGE + 1, 0, 3 * PAGE - 1, 10], [1, 1, 1, 4 * PAGE]];

  it.each(Object.keys(ways).flatMap((way) => ["1k", "4k", "64k"].map((buffer) => [way, buffer] as const)))("%s, buffers of %s", async (way, buffer) => {
    await withSite(site(`upload_buffer_size ${buffer}; client_body_buffer_size 4k;`), async (nginx) => {
      for (const contents of shapes.map(contentsOf)) {
        const needed = pagesOf(contents);
        for (let pages = 1; pages <= needed + 1; pages++) {
          await withTmpfs(files(nginx), pages * PAGE, async () => {
            const before = nginx.passed.length;
            const body = formOf(contents);
            const status = await ways[way]!(nginx, body);
            // A length that is announced is refused as a whole, with what is around the files.
            const fits = pages >= needed && (way !== "a length" || body.length <= pages * PAGE);
            expect(status, `${pages} of ${needed} pages`).toBe(fits ? 200 : 507);
            if (status === 507) {
              expect(nginx.files()).toEqual([]);
              expect(nginx.passed).toHaveLength(before);
            } else {
              contents.forEach((content, i) => expect(readFileSync(fieldOf(nginx.passed.at(-1), `f${i}.path`)!).equals(content)).toBe(true));
            }
            clear(nginx);
            expect(await ways[way]!(nginx, formOf(contentsOf([PAGE / 2]))), "the next upload").toBe(200);
          });
        }
      }
    });
  });

  it("has no room for another file or directory", async () => {
    await withSite(site(), async (nginx) => {
      // The root takes one; a directory and two files of the upload would take three.
      for (let inodes = 2; inodes <= 5; inodes++) {
        execFileSync("mount", ["-t", "tmpfs", "-o", `size=1m,nr_inodes=${inodes}`, "tmpfs", files(nginx)]);
        const status = await ways["a length"]!(nginx, formOf(contentsOf([10, 10])));
        const left = nginx.files();
        execFileSync("umount", ["-l", files(nginx)]);
        expect([200, 507], `${inodes} inodes`).toContain(status);
        expect(left, `${inodes} inodes`).toHaveLength(status === 200 ? 2 : 0);
        if (inodes < 4) expect(status, `${inodes} inodes`).toBe(507);
      }
    });
  });

  it("answers 503 on a file system that is read-only", async () => {
    await withSite(site(), async (nginx) => {
      execFileSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", files(nginx)]);
      for (const send of Object.values(ways)) expect(await send(nginx, formOf(contentsOf([10])))).toBe(503);
      execFileSync("mount", ["-o", "remount,rw", files(nginx)]);
      for (const send of Object.values(ways)) expect(await send(nginx, formOf(contentsOf([10])))).toBe(200);
      execFileSync("umount", ["-l", files(nginx)]);
      expect(nginx.passed).toHaveLength(3);
    });
  });

  it("fills up under way, by somebody else's hand", async () => {
    await withSite(site("client_body_buffer_size 4k;"), async (nginx) => {
      await withTmpfs(files(nginx), "64k", async () => {
        const body = formOf(contentsOf([30_000, 10]));
        const client = await WireClient.open(nginx.port);
        client.write(Buffer.concat([head("/upload", { length: body.length }), body.subarray(0, 20_000)]));
        await nginx.until(() => nginx.files().length === 1, "a file");
        const filler = join(files(nginx), "filler");
        expect(() => writeFileSync(filler, Buffer.alloc(128 * 1024))).toThrow(/ENOSPC/);
        client.write(body.subarray(20_000));
        expect((await client.answer()).status).toBe(507);
        client.destroy();
        expect(nginx.files()).toEqual([filler]);
        expect(nginx.passed).toEqual([]);
        rmSync(filler);
        expect((await exchange(nginx.port, post("/upload", body))).status).toBe(200);
      });
    });
  });
});

describe("module: a store that changes under way", () => {
  /** Begins an upload of two files, lets something happen within the first, and sends the rest. */
  async function around(nginx: Nginx, happens: () => void): Promise<number> {
    const body = formOf(contentsOf([20_000, 10]));
    const client = await WireClient.open(nginx.port);
    client.write(Buffer.concat([head("/upload", { length: body.length }), body.subarray(0, 15_000)]));
    await nginx.until(() => nginx.files().length === 1, "a file");
    happens();
    client.write(body.subarray(15_000));
    const { status } = await client.answer();
    client.destroy();
    return status;
  }

  const next = async (nginx: Nginx): Promise<number> => (await exchange(nginx.port, post("/upload", formOf(contentsOf([10]))))).status;

  it.each([
    ["removed", (path: string) => rmSync(path, { recursive: true })],
    ["moved away", (path: string) => renameSync(path, `${path}-moved`)],
    ["replaced by a file", (path: string) => (renameSync(path, `${path}-moved`), writeFileSync(path, ""))],
    ["replaced by a link to itself", (path: string) => (renameSync(path, `${path}-moved`), symlinkSync(path, path))],
  ])("is answered 503 when it is %s, and works when it is back", async (_, happens) => {
    await withSite(site("client_body_buffer_size 4k;"), async (nginx) => {
      expect(await around(nginx, () => happens(files(nginx)))).toBe(503);
      expect(nginx.passed).toEqual([]);
      rmSync(files(nginx), { force: true });
      mkdirSync(files(nginx));
      expect(await next(nginx)).toBe(200);
    });
  });

  it("makes hashed directories again that somebody removes", async () => {
    await withSite(site("client_body_buffer_size 4k;"), async (nginx) => {
      for (let i = 0; i < 12; i++) {
        expect(await next(nginx)).toBe(200);
        for (const name of readdirSync(files(nginx))) rmSync(join(files(nginx), name), { recursive: true });
      }
    });
  });

  // What is removed while it is written is not missed before the target looks for it.
  it("passes on no file that somebody has removed", async () => {
    await withSite(site("client_body_buffer_size 4k;"), async (nginx) => {
      const body = formOf(contentsOf([20_000]));
      const client = await WireClient.open(nginx.port);
      client.write(Buffer.concat([head("/upload", { length: body.length }), body.subarray(0, 15_000)]));
      await nginx.until(() => nginx.files().length === 1, "a file");
      clear(nginx);
      client.write(body.subarray(15_000));
      const { status } = await client.answer();
      client.destroy();
      expect(nginx.passed).toEqual([]);
      expect(status).toBe(503);
    });
  });

  it("is answered 503 when its name is too long, or leads round in circles", async () => {
    const options = site();
    await withSite({ ...options, server: options.server.replace("%STORE%/files", "%STORE%/files/$arg_to") }, async (nginx) => {
      symlinkSync("loop", join(files(nginx), "loop"));
      const body = formOf(contentsOf([10]));
      for (const to of ["n".repeat(256), Array.from({ length: 30 }, () => "n".repeat(200)).join("/"), "loop", "missing"]) {
        expect((await exchange(nginx.port, post(`/upload?to=${to}`, body))).status, to.slice(0, 10)).toBe(503);
      }
      rmSync(join(files(nginx), "loop"));
      expect((await exchange(nginx.port, post("/upload?to=", body))).status).toBe(200);
    });
  });
});
