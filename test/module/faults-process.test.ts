import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { connectionStart, FrameClient, uploadFrames } from "../helpers/hostile-http2.ts";
import { type Nginx, type NginxOptions, withNginx } from "../helpers/nginx.ts";
import { classicFields, fieldOf } from "../helpers/upload-site.ts";
import { exchange, form, head, post, WireClient } from "../helpers/wire.ts";

const site = (more: Partial<NginxOptions> = {}, directives = ""): NginxOptions => ({
  listen: "listen 127.0.0.1:%PORT%; listen 127.0.0.1:%TLS_PORT% http2;",
  server: `
    location /upload {
      upload_pass @done;
      upload_store %STORE% 1;
      ${classicFields}
      client_body_buffer_size 7k;
      upload_buffer_size 4k;
      ${directives}
    }
    location @done { proxy_pass http://%UPSTREAM%; }`,
  keepsFiles: true,
  ...more,
});

const SIZE = 120_000;

/** What fits into the window that every client of HTTP/2 has at first. */
const WINDOW = 50_000;

/** Content that tells whose it is at each of its places. */
const contentOf = (name: string): Buffer => Buffer.alloc(name === "http2" ? WINDOW : SIZE, `${name}/`);

const bodyOf = (name: string): Buffer => form([{ disposition: `name="file"; filename="${name}"`, body: contentOf(name) }]);

/** An upload that takes its time. @returns its status, or undefined when the connection broke */
async function slowUpload(port: number, name: string): Promise<number | undefined> {
  const body = bodyOf(name);
  const client = await WireClient.open(port).catch(() => undefined);
  if (client === undefined) return undefined;
  try {
    client.write(head("/upload", { length: body.length }));
    for (let at = 0; at < body.length; at += 20_000) {
      client.write(body.subarray(at, at + 20_000));
      await sleep(2);
    }
    return (await client.answer()).status;
  } catch {
    return undefined;
  } finally {
    client.destroy();
  }
}

const pause = (): Promise<void> => sleep(Math.random() * 60);

describe("module: a worker that is killed at any moment", () => {
  it("loses only its own uploads, and leaves only what it was writing", async () => {
    await withNginx(site({ workers: 2, expectLog: /exited on signal 9/ }), async (nginx) => {
      const statuses = new Map<string, number | undefined>();
      let killing = true;
      const client = async (number: number): Promise<void> => {
        // However often it was hit, it ends with some that were not.
        for (let [i, whole] = [0, 0]; killing || whole < 2; i++) {
          const name = `c${number}-${i}`;
          const status = await slowUpload(nginx.port, name);
          statuses.set(name, status);
          if (status === 200) whole++;
        }
      };
      const clients = Array.from({ length: 8 }, (_, number) => client(number));
      for (let i = 0; i < 12; i++) {
        await pause();
        const [victim] = nginx.workers();
        process.kill(victim!, "SIGKILL");
        await nginx.until(() => nginx.workers().length === 2 && !nginx.workers().includes(victim!), "another worker");
      }
      killing = false;
      await Promise.all(clients);

      const names = new Map(nginx.passed.map((passed) => [fieldOf(passed, "file.name")!, fieldOf(passed, "file.path")!]));
      for (const [name, status] of statuses) {
        expect([200, undefined], name).toContain(status);
        if (status === 200) expect(readFileSync(names.get(name)!).equals(contentOf(name)), name).toBe(true);
      }
      const broken = [...statuses].filter(([, status]) => status === undefined).map(([name]) => name);
      const owned = new Set(names.values());
      const left = nginx.files().filter((path) => !owned.has(path));
      // As many as there were uploads in the killed workers' hands, and each the beginning of one of them.
      expect(left.length).toBeLessThanOrEqual(broken.length);
      for (const path of left) {
        const bytes = readFileSync(path);
        expect(broken.some((name) => contentOf(name).subarray(0, bytes.length).equals(bytes)), `${path} of ${bytes.length} bytes`).toBe(true);
      }
      expect([...statuses.values()].filter((status) => status === 200).length).toBeGreaterThan(8);
      expect(broken.length, "uploads that a kill interrupted").toBeGreaterThan(0);
      expect(await slowUpload(nginx.port, "after")).toBe(200);
    });
  });
});

/** Begins an upload on each protocol, lets something happen in the middle, sends the rest. @returns the statuses */
async function around(nginx: Nginx, happens: () => Promise<void>): Promise<(number | undefined)[]> {
  const begun = nginx.files().length;
  const one = bodyOf("http1");
  const first = await WireClient.open(nginx.port);
  first.write(Buffer.concat([head("/upload", { length: one.length }), one.subarray(0, 60_000)]));
  const second = await FrameClient.open(nginx.tlsPort);
  const frames = uploadFrames("/upload", bodyOf("http2"));
  second.write(Buffer.concat([connectionStart, ...frames.slice(0, 3)]));
  await nginx.until(() => nginx.files().length === begun + 2, "two files");
  await happens();
  first.write(one.subarray(60_000));
  second.write(Buffer.concat(frames.slice(3)));
  const statuses = await Promise.all([first.answer().then(({ status }) => status), second.status()].map((status) => status.catch(() => undefined)));
  first.destroy();
  second.destroy();
  return statuses;
}

describe("module: nginx is reloaded or ends in mid-upload", () => {
  it.each([["", ""], [", also one with a limited rate", "upload_limit_rate 200k;"]])("a reload leaves an upload to its worker%s", async (_, directives) => {
    await withNginx(site({}, directives), async (nginx) => {
      const [old] = nginx.workers();
      const statuses = await around(nginx, async () => {
        process.kill(nginx.master, "SIGHUP");
        await nginx.until(() => nginx.workers().some((pid) => pid !== old), "a new worker");
        expect((await exchange(nginx.port, post("/upload", bodyOf("between")))).status).toBe(200);
      });
      expect(statuses).toEqual([200, 200]);
      const paths = new Map(nginx.passed.map((passed) => [fieldOf(passed, "file.name")!, fieldOf(passed, "file.path")!]));
      for (const name of ["http1", "http2", "between"]) expect(readFileSync(paths.get(name)!).equals(contentOf(name)), name).toBe(true);
      expect(new Set(paths.values())).toEqual(new Set(nginx.files()));
      await nginx.until(() => !nginx.workers().includes(old!), "the old worker to end");
    });
  });

  it("a graceful end waits for uploads", async () => {
    await withNginx(site(), async (nginx) => {
      const statuses = await around(nginx, async () => {
        process.kill(nginx.master, "SIGQUIT");
        await nginx.until(() => /gracefully shutting down/.test(nginx.log()), "the worker to hear of it");
      });
      expect(statuses).toEqual([200, 200]);
      for (const passed of nginx.passed) expect(readFileSync(fieldOf(passed, "file.path")!).equals(contentOf(fieldOf(passed, "file.name")!))).toBe(true);
      expect(nginx.files()).toHaveLength(2);
    });
  });

  it("a graceful end that takes too long ends uploads, and leaves nothing", async () => {
    await withNginx(site({ keepsFiles: false }), async (nginx) => {
      // The helper's worker_shutdown_timeout is 5 s.
      const statuses = await around(nginx, async () => {
        process.kill(nginx.master, "SIGQUIT");
        await nginx.until(() => nginx.files().length === 0, "the files to go");
      });
      expect(statuses).toEqual([undefined, undefined]);
      expect(nginx.passed).toEqual([]);
    });
  });

  it("a fast end leaves nothing, whatever the protocol", async () => {
    await withNginx(site({ keepsFiles: false }), async (nginx) => {
      const statuses = await around(nginx, async () => {
        process.kill(nginx.master, "SIGTERM");
        await nginx.until(() => nginx.files().length === 0, "the files to go");
      });
      expect(statuses).toEqual([undefined, undefined]);
      expect(nginx.passed).toEqual([]);
    });
  });
});
