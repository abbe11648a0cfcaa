import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FaultyCalls } from "../helpers/faults.ts";
import { type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { classicFields, fieldOf } from "../helpers/upload-site.ts";
import { chunked, exchange, form, head, post, WireClient } from "../helpers/wire.ts";

const MIB = 1024 * 1024;

/** From the second MiB on it is read into larger buffers. */
const content = randomBytes(3 * MIB);
const body = form([{ disposition: 'name="file"; filename="large"', body: content }]);

const sizes = ["16k", "64k"] as const;

const site = (size: string, more: Partial<NginxOptions> = {}): NginxOptions => ({
  server: `
    location /upload {
      upload_pass @done;
      upload_store %STORE%;
      upload_buffer_size ${size};
      client_body_buffer_size ${size};
      ${classicFields}
      upload_aggregate_form_field $upload_field_name.md5 "$upload_file_md5";
    }
    location @done { proxy_pass http://%UPSTREAM%; }`,
  keepsFiles: true,
  ...more,
});

const upload = async ({ port }: Nginx): Promise<number> => (await exchange(port, post("/upload", body))).status;

/** The last upload passed on is whole, and the only one that has left a file. */
function expectOne(nginx: Nginx, what: string): void {
  const path = fieldOf(nginx.passed.at(-1), "file.path")!;
  expect(nginx.files(), what).toEqual([path]);
  expect(readFileSync(path).equals(content), what).toBe(true);
  rmSync(path);
}

describe.each(sizes)("module: a form of 3 MiB, buffers of %s", (size) => {
  let calls: FaultyCalls;
  beforeAll(() => {
    calls = FaultyCalls.build();
  });
  afterAll(() => calls.remove());

  it.each(["EIO", "ENOSPC"] as const)("is answered 507 when any of its writes fails with %s, and leaves nothing", async (error) => {
    await withNginx({ ...site(size, { expectLog: /upload: \w+\(\) ".*" failed/ }), ...calls.options }, async (nginx) => {
      let writes = 0;
      for (;; writes++) {
        const asked = nginx.passed.length;
        calls.arm({ kinds: ["write"], nth: writes + 1, error });
        const status = await upload(nginx);
        const { hit } = calls;
        calls.arm({ nth: 0, error });
        expect(status, `write ${writes + 1}`).toBe(hit > 0 ? 507 : 200);
        if (hit === 0) break;
        expect([nginx.files(), nginx.passed.length], `write ${writes + 1}`).toEqual([[], asked]);
      }
      expectOne(nginx, "without a fault");
      // The first MiB alone has four of the largest there are.
      expect(writes).toBeGreaterThan(8);
    });
  });

  const begun = {
    "a length": (length: number) => Buffer.concat([head("/upload", { length: body.length }), body.subarray(0, length)]),
    chunks: (length: number) => Buffer.concat([head("/upload", { extra: ["Transfer-Encoding: chunked"] }), chunked(body.subarray(0, length), 9999).subarray(0, -5)]),
  } as const;

  it.each(Object.entries(begun))("leaves nothing when its client goes away in the third MiB (%s)", async (_, start) => {
    await withNginx(site(size), async (nginx) => {
      for (const leave of ["destroy", "reset"] as const) {
        for (const length of [2 * MIB + 1, 2.25 * MIB, 2.5 * MIB + 12_345, body.length - 1]) {
          const client = await WireClient.open(nginx.port);
          client.write(start(length));
          await nginx.until(() => nginx.files().some((path) => statSync(path).size > 1.5 * MIB), "more than a MiB");
          client[leave]();
          await nginx.until(() => nginx.files().length === 0, `the file to go, ${leave} at ${length}`);
          expect(nginx.passed).toEqual([]);
        }
      }
      expect(await upload(nginx)).toBe(200);
      expectOne(nginx, "the next upload");
    });
  });

  /** Begins an upload, lets nginx be told something in the third MiB, and sends the rest. */
  async function around(nginx: Nginx, signal: NodeJS.Signals, heard: RegExp): Promise<number | undefined> {
    const client = await WireClient.open(nginx.port);
    client.write(begun["a length"](2.5 * MIB));
    await nginx.until(() => nginx.files().some((path) => statSync(path).size > 1.5 * MIB), "more than a MiB");
    process.kill(nginx.master, signal);
    await nginx.until(() => heard.test(nginx.log()), "nginx to hear of it");
    client.write(body.subarray(2.5 * MIB));
    return client.answer().then(({ status }) => status, () => undefined).finally(() => client.destroy());
  }

  it("is whole when nginx is reloaded in its third MiB", async () => {
    await withNginx(site(size), async (nginx) => {
      expect(await around(nginx, "SIGHUP", /gracefully shutting down/)).toBe(200);
      expectOne(nginx, "the upload");
    });
  });

  it("leaves nothing when nginx ends in its third MiB", async () => {
    await withNginx(site(size), async (nginx) => {
      expect(await around(nginx, "SIGTERM", /\[notice\].*exiting/)).toBe(undefined);
      await nginx.until(() => nginx.files().length === 0, "the file to go");
      expect(nginx.passed).toEqual([]);
    });
  });
});
