import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { alternativeNames, newCa, newKey, newRequest, serverExtensions, sign } from "../commands/openssl.ts";
import { mustRun, type Run } from "../core/run.ts";
import { own, privateFolder, readableFolder, type Owner } from "./site-files.ts";

/** Paths of a self-signed site's certificates (docs/internals/contracts.md, section 6). */
export interface TlsPaths {
  readonly ca: string;
  readonly caKey: string;
  readonly certificate: string;
  readonly key: string;
}

export const tlsPaths = (folder: string): TlsPaths => ({
  ca: join(folder, "tls", "ca.pem"),
  caKey: join(folder, "tls", "ca.key"),
  certificate: join(folder, "tls", "site.pem"),
  key: join(folder, "tls", "site.key"),
});

/** A certificate is renewed this long before its end. */
const RENEW_BEFORE_DAYS = 30;
const DAY_MS = 86_400_000;

/** Why a certificate cannot be used as it is, or `undefined` when it can. */
export function whyRenew(certificate: X509Certificate, ca: X509Certificate, names: readonly string[], now: Date): string | undefined {
  const wanted = [...alternativeNames(names)].sort().join(",");
  const has = (certificate.subjectAltName ?? "").replaceAll("IP Address:", "IP:").split(", ").sort().join(",");
  if (has !== wanted) return "the site's names changed";
  if (Date.parse(certificate.validTo) - now.getTime() < RENEW_BEFORE_DAYS * DAY_MS) return "its end is near";
  if (!certificate.verify(ca.publicKey)) return "the CA is another one";
  return undefined;
}

/**
 * Makes the CA and the site's certificate where they are missing, and renews the certificate when it has to be.
 * @returns what was made, for the log; `undefined` when there was nothing to do
 * @throws Problem when openssl fails
 */
export async function ensureTls(run: Run, folder: string, siteName: string, names: readonly string[], owner: Owner): Promise<string | undefined> {
  const paths = tlsPaths(folder);
  await privateFolder(folder);
  await readableFolder(join(folder, "tls"), owner);
  const newCaMade = !existsSync(paths.ca) || !existsSync(paths.caKey);
  if (newCaMade) await makeCa(run, paths, siteName);
  const reason = await reasonToSign(paths, names);
  if (reason !== undefined) await makeCertificate(run, paths, siteName, names);
  await chmod(paths.caKey, 0o400);
  await own(paths.ca, owner, 0o444);
  await own(paths.certificate, owner, 0o444);
  await own(paths.key, owner, 0o440);
  if (newCaMade) return "made a CA (10 years) and a certificate signed by it";
  return reason === undefined ? undefined : `made a new certificate, because ${reason}`;
}

async function reasonToSign(paths: TlsPaths, names: readonly string[]): Promise<string | undefined> {
  if (!existsSync(paths.certificate) || !existsSync(paths.key)) return "there is none";
  const [certificate, key, ca] = await Promise.all([readFile(paths.certificate), readFile(paths.key), readFile(paths.ca)]);
  try {
    const parsed = new X509Certificate(certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) return "the key is another one's";
    return whyRenew(parsed, new X509Certificate(ca), names, new Date());
  } catch {
    return "it cannot be read";
  }
}

async function makeCa(run: Run, paths: TlsPaths, siteName: string): Promise<void> {
  await inTemporary(async (folder) => {
    const [key, certificate] = [join(folder, "ca.key"), join(folder, "ca.pem")];
    await mustRun(run, "tls", newKey(key));
    await mustRun(run, "tls", newCa(key, certificate, siteName));
    await putInto(key, paths.caKey);
    await putInto(certificate, paths.ca);
  });
}

async function makeCertificate(run: Run, paths: TlsPaths, siteName: string, names: readonly string[]): Promise<void> {
  await inTemporary(async (folder) => {
    const at = (name: string): string => join(folder, name);
    await writeFile(at("extensions"), serverExtensions(names));
    await mustRun(run, "tls", newKey(at("key")));
    await mustRun(run, "tls", newRequest(at("key"), at("request"), siteName));
    const serial = `01${randomBytes(15).toString("hex")}`;
    await mustRun(run, "tls", sign(at("request"), at("extensions"), { certificate: paths.ca, key: paths.caKey }, serial, at("pem")));
    await putInto(at("key"), paths.key);
    await putInto(at("pem"), paths.certificate);
  });
}

async function inTemporary(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-tls-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Writes a finished file into its place, keeping the inode of one that is there: a container has mounted
 * that inode, and would go on with the old certificate if it were replaced. A cut in the middle is seen at
 * the next run, because the key then does not fit.
 */
async function putInto(from: string, to: string): Promise<void> {
  if (existsSync(to)) await chmod(to, 0o600);
  await writeFile(to, await readFile(from), { mode: 0o600 });
}
