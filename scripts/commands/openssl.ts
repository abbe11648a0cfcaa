import { isIP } from "node:net";
import type { Argv } from "../core/run.ts";

/** Ten years: a new CA means that every client has to be told. */
export const CA_DAYS = 3650;
/** Longer than 825 days is refused by Apple's clients, whoever signed. */
export const CERTIFICATE_DAYS = 397;

/** A private key on the curve P-256, PKCS #8. */
export const newKey = (key: string): Argv => [
  "openssl", "genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key,
];

/** A CA that may sign site certificates and no further CA (RFC 5280, section 4.2.1.9). */
export const newCa = (key: string, certificate: string, siteName: string): Argv => [
  "openssl", "req", "-x509", "-new", "-sha256", "-key", key, "-out", certificate, "-days", String(CA_DAYS),
  "-subj", `/CN=${siteName} CA`,
  "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0",
  "-addext", "keyUsage=critical,keyCertSign,cRLSign",
];

export const newRequest = (key: string, request: string, siteName: string): Argv => [
  "openssl", "req", "-new", "-sha256", "-key", key, "-out", request, "-subj", `/CN=${siteName}`,
];

export const sign = (request: string, extensions: string, ca: { certificate: string; key: string }, serial: string, certificate: string): Argv => [
  "openssl", "x509", "-req", "-sha256", "-in", request, "-extfile", extensions,
  "-CA", ca.certificate, "-CAkey", ca.key, "-set_serial", `0x${serial}`, "-days", String(CERTIFICATE_DAYS), "-out", certificate,
];

/** Names as subject alternative names, each once: `DNS:localhost`, `IP:127.0.0.1` (RFC 5280, section 4.2.1.6). */
export function alternativeNames(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => (isIP(name) === 0 ? `DNS:${name}` : `IP:${name}`)))];
}

/** Extension file of a server certificate. */
export const serverExtensions = (names: readonly string[]): string =>
  [
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth",
    `subjectAltName=${alternativeNames(names).join(",")}`,
    "",
  ].join("\n");
