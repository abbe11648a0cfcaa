import { X509Certificate } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../scripts/core/run.ts";
import { ensureSecrets, secretFiles } from "../../scripts/steps/site-files.ts";
import { ensureTls, tlsPaths, whyRenew } from "../../scripts/steps/tls-files.ts";

const isRoot = process.getuid?.() === 0;
const owner = isRoot ? { uid: 10001, gid: 10001 } : { uid: process.getuid!(), gid: process.getgid!() };
const about = (path: string): string => {
  const { uid, gid, mode } = statSync(path);
  return `${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
};
const own = `${owner.uid}:${owner.gid}`;
const me = `${process.getuid!()}:${process.getgid!()}`;

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "slipway-files-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the site's secret", () => {
  it("is made once, the same in both files, readable by the site's user alone", async () => {
    const files = secretFiles(folder);
    expect(await ensureSecrets(folder, owner)).toBe(true);
    const secret = readFileSync(files.secret, "utf8");
    expect(secret).toMatch(/^[0-9a-f]{64}\n$/);
    expect(readFileSync(files.nginxSecret, "utf8")).toBe(`set $slipway_secret "${secret.trim()}";\n`);
    expect([folder, join(folder, "secrets"), files.secret, files.nginxSecret].map(about)).toEqual([`${me} 700`, `${own} 750`, `${own} 440`, `${own} 440`]);
    expect(await ensureSecrets(folder, owner)).toBe(false);
    expect(readFileSync(files.secret, "utf8")).toBe(secret);
  });

  it("is made again when it is damaged, and its twin when only that is gone", async () => {
    const files = secretFiles(folder);
    await ensureSecrets(folder, owner);
    const secret = readFileSync(files.secret, "utf8");
    rmSync(files.nginxSecret);
    expect(await ensureSecrets(folder, owner)).toBe(true);
    expect(readFileSync(files.secret, "utf8")).toBe(secret);
    chmodSync(files.secret, 0o600);
    writeFileSync(files.secret, "short");
    expect(await ensureSecrets(folder, owner)).toBe(true);
    expect(readFileSync(files.secret, "utf8")).toMatch(/^[0-9a-f]{64}\n$/);
  });
});

describe("the site's own certificate", () => {
  const names = ["localhost", "127.0.0.1"];
  const read = (path: string): X509Certificate => new X509Certificate(readFileSync(path));

  it("is signed by a CA of its own and holds the names", async () => {
    const paths = tlsPaths(folder);
    expect(await ensureTls(run, folder, "site", names, owner)).toMatch(/made a CA/);
    const [ca, certificate] = [read(paths.ca), read(paths.certificate)];
    expect(ca.ca).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1");
    expect(ca.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: "prime256v1" });
    const years = (Date.parse(ca.validTo) - Date.now()) / 86_400_000 / 365;
    expect(years).toBeGreaterThan(9.9);
    expect([paths.ca, paths.caKey, paths.certificate, paths.key].map(about)).toEqual([`${own} 444`, `${me} 400`, `${own} 444`, `${own} 440`]);
    expect(await ensureTls(run, folder, "site", names, owner)).toBeUndefined();
  });

  it("is made again, by the same CA and in the same file, when the names change", async () => {
    const paths = tlsPaths(folder);
    await ensureTls(run, folder, "site", names, owner);
    const before = { ca: read(paths.ca).fingerprint256, inode: statSync(paths.certificate).ino };
    expect(await ensureTls(run, folder, "site", [...names, "files.example"], owner)).toBe("made a new certificate, because the site's names changed");
    expect({ ca: read(paths.ca).fingerprint256, inode: statSync(paths.certificate).ino }).toEqual(before);
    expect(read(paths.certificate).checkHost("files.example")).toBe("files.example");
  });

  it("is made again when the key does not fit, the file is cut, or the CA is another", async () => {
    const paths = tlsPaths(folder);
    const other = mkdtempSync(join(tmpdir(), "slipway-files-"));
    try {
      await ensureTls(run, folder, "site", names, owner);
      await ensureTls(run, other, "site", names, owner);
      const put = (path: string, content: Buffer): void => (chmodSync(path, 0o600), writeFileSync(path, content));
      put(paths.key, readFileSync(tlsPaths(other).key));
      expect(await ensureTls(run, folder, "site", names, owner)).toContain("the key is another one's");
      put(paths.certificate, Buffer.from("-----BEGIN"));
      expect(await ensureTls(run, folder, "site", names, owner)).toContain("it cannot be read");
      rmSync(paths.ca);
      expect(await ensureTls(run, folder, "site", names, owner)).toContain("made a CA");
      expect(read(paths.certificate).verify(read(paths.ca).publicKey)).toBe(true);
    } finally {
      rmSync(other, { recursive: true, force: true });
    }
  });

  it("is renewed a month before its end", async () => {
    const paths = tlsPaths(folder);
    await ensureTls(run, folder, "site", names, owner);
    const [certificate, ca] = [read(paths.certificate), read(paths.ca)];
    const end = Date.parse(certificate.validTo);
    expect(whyRenew(certificate, ca, names, new Date(end - 31 * 86_400_000))).toBeUndefined();
    expect(whyRenew(certificate, ca, names, new Date(end - 29 * 86_400_000))).toBe("its end is near");
  });
});
