import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type NginxOptions, sanitizing, withNginx } from "../helpers/nginx.ts";
import { exchange, head, WireClient } from "../helpers/wire.ts";

const MIB = 1024 * 1024;
const UPLOADS = 100;
const SENT = 300_000;

/** Memory that an upload with buffers of 64k may take: two of them, and 64 KiB. */
const ALLOWED = 3 * 64 * 1024;

const options: NginxOptions = {
  server: `
    upload_store %STORE%; client_body_buffer_size 1m; upload_buffer_size 1m; upload_raw on; upload_sync off;
    location /raw { upload_pass @done; }
    location /hashed { upload_pass @done; upload_aggregate_form_field sha256 "$upload_file_sha256"; }
    location @done { return 200; }`,
  keepsFiles: true,
};

/** A line of /proc/PID/status, bytes. */
const memory = (pid: number, name: "VmSize" | "VmRSS"): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"))![1]) * 1024;

const written = (files: readonly string[]): number => files.reduce((sum, file) => sum + statSync(file).size, 0);

describe("module: the buffers of a worker", () => {
  // AddressSanitizer's own memory would be measured too; what it finds in the bytes is looked at below.
  it.skipIf(sanitizing)("are not held by uploads that wait, and go back to the kernel when nobody needs them", { timeout: 120_000 }, async () => {
    await withNginx(options, async (site) => {
      // Only a worker answers, and then it is there to be asked for.
      await exchange(site.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      const [worker = 0] = site.workers();
      const [size, resident] = [memory(worker, "VmSize"), memory(worker, "VmRSS")];
      const bytes = randomBytes(2 * SENT);
      const clients = await Promise.all(Array.from({ length: UPLOADS }, () => WireClient.open(site.port)));
      for (const client of clients) client.write(Buffer.concat([head("/raw", { method: "PUT", length: bytes.length }), bytes.subarray(0, SENT)]));
      // All but those that may have a buffer have their bytes in their files.
      await site.until(() => site.files().length === UPLOADS && written(site.files()) > 0.75 * UPLOADS * SENT, "bytes of all uploads");
      expect(memory(worker, "VmRSS") - resident).toBeLessThan(16 * MIB);
      expect(memory(worker, "VmSize") - size).toBeGreaterThan(8 * MIB);

      const [gone, staying] = [clients.slice(0, UPLOADS / 2), clients.slice(UPLOADS / 2)];
      for (const client of gone) client.destroy();
      for (const client of staying) client.write(bytes.subarray(SENT));
      for (const client of staying) expect((await client.answer()).status).toBe(200);
      for (const client of staying) client.destroy();
      await site.until(() => site.files().length === staying.length, "only the whole ones");
      expect(site.files().filter((file) => readFileSync(file).equals(bytes))).toHaveLength(staying.length);
      for (let waited = 0; waited < 60 && memory(worker, "VmSize") - size > 4 * MIB; waited++) await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(memory(worker, "VmSize") - size).toBeLessThan(4 * MIB);
    });
  });

  it.skipIf(sanitizing).each(["/raw", "/hashed"])("are not more than what many uploads are allowed, while they come and while they wait (%s)", { timeout: 120_000 }, async (path) => {
    await withNginx({ ...options, server: options.server.replaceAll("_size 1m;", "_size 64k;") }, async (site) => {
      await exchange(site.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      const [worker = 0] = site.workers();
      const resident = memory(worker, "VmRSS");
      let most = 0;
      const look = (): void => void (most = Math.max(most, memory(worker, "VmRSS") - resident));
      const looking = setInterval(look, 3);
      const bytes = randomBytes(4 * MIB);
      const clients = await Promise.all(Array.from({ length: UPLOADS }, () => WireClient.open(site.port)));
      for (const client of clients) client.write(head(path, { method: "PUT", length: bytes.length }));
      // From the second MiB on buffers may be larger than they are asked to be; each stop leaves bytes that fill none.
      for (let [at, end] = [0, 1_500_000]; at < bytes.length; [at, end] = [end, end + 400_000]) {
        for (const client of clients) client.write(bytes.subarray(at, end));
        const come = Math.min(end, bytes.length) * UPLOADS;
        await site.until(() => site.files().length === UPLOADS && written(site.files()) > 0.9 * come, `bytes of all uploads up to ${end}`);
        look();
      }
      for (const client of clients) expect((await client.answer()).status).toBe(200);
      clearInterval(looking);
      for (const client of clients) client.destroy();
      expect(most).toBeGreaterThan(UPLOADS * 64 * 1024);
      expect(most).toBeLessThanOrEqual(UPLOADS * ALLOWED);
    });
  });

  it.each(["/raw", "/hashed"])("go from one upload to the next with nobody else's bytes (%s)", async (path) => {
    await withNginx(options, async (site) => {
      const bodies = Array.from({ length: UPLOADS }, (_, at) => randomBytes(MIB + at * 10_007));
      const clients = await Promise.all(bodies.map(() => WireClient.open(site.port)));
      clients.forEach((client, at) => client.write(Buffer.concat([head(path, { method: "PUT", length: bodies[at]!.length }), bodies[at]!.subarray(0, 40_000)])));
      // Every third goes away in its middle, while threads may have what it sent.
      clients.forEach((client, at) => {
        client.write(bodies[at]!.subarray(40_000, at % 3 === 0 ? -1 : undefined));
        if (at % 3 === 0) setTimeout(() => client.destroy(), at);
      });
      const whole = bodies.filter((_, at) => at % 3 !== 0);
      for (const client of clients.filter((_, at) => at % 3 !== 0)) {
        expect((await client.answer()).status).toBe(200);
        client.destroy();
      }
      await site.until(() => site.files().length === whole.length, "only the whole ones");
      const stored = new Set(site.files().map((file) => readFileSync(file).toString("base64")));
      expect(whole.every((body) => stored.has(body.toString("base64")))).toBe(true);
    });
  });
});
