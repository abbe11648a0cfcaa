import { execFile, execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { withNginx } from "../helpers/nginx.ts";
import { leastOf } from "../helpers/steady.ts";
import { classicFields, uploadServer } from "../helpers/upload-site.ts";

const run = promisify(execFile);
const size = 512 * 1024 * 1024;

/** So much to compute that any client sends faster than the worker files. */
const digests = ["md5", "sha1", "sha256", "sha512"].map((name) => `upload_aggregate_form_field $upload_field_name.${name} $upload_file_${name};`).join("\n");

let keys = "";
beforeAll(() => {
  keys = mkdtempSync(join(tmpdir(), "slipway-keys-"));
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", `${keys}/key.pem`, "-out", `${keys}/cert.pem`, "-subj", "/CN=localhost"], { stdio: "ignore" });
});
afterAll(() => rmSync(keys, { recursive: true, force: true }));

it.each([
  ["HTTP/1.1", "http", "--http1.1"],
  ["HTTP/2", "http", "--http2-prior-knowledge"],
  ["HTTP/1.1 and TLS", "https", "--http1.1"],
  ["HTTP/2 and TLS", "https", "--http2"],
])("a worker answers others while a fast client uploads over %s", async (_what, scheme, flag) => {
  // A read empties a receive buffer this small, and it is full again when what was read is filed.
  const parameters = " rcvbuf=128k" + (scheme === "https" ? " ssl" : "") + (flag === "--http1.1" ? "" : " http2");
  const options = {
    http: `ssl_certificate ${keys}/cert.pem; ssl_certificate_key ${keys}/key.pem;`,
    listen: `listen 127.0.0.1:%PORT%${parameters}; listen 127.0.0.1:%TLS_PORT%;`,
    server: `location = /small { return 204; }\n${uploadServer("client_body_buffer_size 1m; upload_buffer_size 1m;", classicFields + digests)}`,
    keepsFiles: true,
  };
  /** Bytes that have come when others were answered. */
  const beside = async (): Promise<number> => {
    let before = size;
    await withNginx(options, async (site) => {
      const big = join(site.folder, "big");
      const descriptor = openSync(big, "w");
      ftruncateSync(descriptor, size);
      closeSync(descriptor);
      const received = (): number => site.files().reduce((sum, path) => sum + statSync(path).size, 0);

      const upload = run("curl", ["--silent", "--fail", "--insecure", flag, "--form", `file=@${big}`, `${scheme}://127.0.0.1:${site.port}/upload`]);
      await site.until(() => received() > 0, "the upload to begin");
      // The worker would answer none of these before it has filed the last byte.
      for (let i = 0; i < 3; i++) {
        expect((await fetch(`http://127.0.0.1:${site.tlsPort}/small`)).status).toBe(204);
      }
      before = received();
      expect((await upload).stdout).toBe("done");
      expect(received()).toBe(size);
    });
    return before;
  };
  // A test that stands still while curl and nginx go on asks when all is over.
  expect(await leastOf(size, beside)).toBeLessThan(size);
});
