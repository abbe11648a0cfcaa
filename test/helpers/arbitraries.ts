/** Generators of props, good and hostile, for the properties of nginx.conf and of Terraform's JSON. */

import fc from "fast-check";
import type { SiteProps } from "../../stacks/props.ts";
import { settingsTable, type SettingPath } from "../../stacks/settings-table.ts";

/** Where a string can stand in a site's props. */
export interface StringPlace {
  /** "upload.setFields (name)", for titles. */
  readonly title: string;
  readonly path: SettingPath;
  /** A good value that appears nowhere else in a rendered site. */
  readonly sentinel: string;
  /** Good values. */
  readonly good: fc.Arbitrary<string>;
  /** A whole site with this text in that place, whatever the text is. */
  site(text: string): SiteProps;
}

/** What ends a string, a directive or an expression somewhere. */
const FRAGMENTS = ['"', "'", ";", "{", "}", "${", "%{", "$${", "}}", "{{", "\\", "\\n", "\n", "\r\n", "\t", "\0", " ", "#", "$", "`", "/../", "..", "$upload_file_name", "; include /etc/passwd;", '"; } server {', "${file(\"/etc/passwd\")}", "%{ if true }", "\u2028", "é", "🚢"];

const label = "[a-z][a-z0-9]{0,8}";
const hostName = fc.stringMatching(new RegExp(`^${label}(\\.${label}){0,2}$`));
const path = fc.stringMatching(/^(\/[A-Za-z0-9_@~+-][A-Za-z0-9_@~+.-]{0,8}){1,3}$/);
const urlPath = fc.stringMatching(/^(\/[A-Za-z0-9_~-][A-Za-z0-9_.~-]{0,8}){1,3}$/).map((p) => `/x${p}`);
const dockerName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/);
const size = fc.tuple(fc.integer({ min: 1024, max: 9999 }), fc.constantFrom("k", "K", "m", "M")).map(([n, unit]) => `${n}${unit}`);
const seconds = fc.integer({ min: 60, max: 3600 }).map((n) => `${n}s`);
const literal = fc.stringMatching(/^[A-Za-z0-9_.-]{1,12}$/);
const template = (...variables: string[]): fc.Arbitrary<string> =>
  fc.array(fc.oneof(literal.map((text) => `.${text}`), fc.constantFrom(...variables)), { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(""));
const startTemplate = template("$upload_field_name", "$upload_file_name", "$upload_content_type", "$upload_tmp_path", "$upload_file_number");
const regex = fc.array(fc.constantFrom("a", "field_1", "\\.", "\\d+", "[a-z0-9]*", "(x|y)", "(?:z)?", "-", ".", "\\-", "^n", ":", "@"), { maxLength: 6 }).map((p) => `^${p.join("")}$`);

const chosen = <T extends string>(...words: T[]): fc.Arbitrary<string> => fc.constantFrom(...words);

function place(title: string, at: SettingPath, sentinel: string, good: fc.Arbitrary<string>, site: (text: string) => object): StringPlace {
  return { title, path: at, sentinel, good, site: (text) => site(text) as SiteProps };
}

const files = { kind: "files", certificate: "/c.pem", key: "/k.pem" };
const classic = (settingsTable["upload.setFields"].default as { value: Record<string, string> }).value;

/** Every place of every prop that takes text. */
export const stringPlaces: readonly StringPlace[] = [
  place("name", "name", "sentinel-name", fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/), (name) => ({ name })),
  place("serverNames", "serverNames", "sentinel.example", hostName, (name) => ({ serverNames: [name] })),
  place("listen.address", "listen.address", "192.0.2.99", fc.oneof(fc.ipV4(), fc.ipV6()), (address) => ({ listen: { address, publicWithoutAuthentication: true } })),
  place("tls.kind", "tls.kind", "selfSigned", chosen("selfSigned"), (kind) => ({ tls: { kind } })),
  place("tls.certificate", "tls.certificate", "/sentinel.pem", path, (certificate) => ({ tls: { ...files, certificate } })),
  place("tls.key", "tls.key", "/sentinel.key", path, (key) => ({ tls: { ...files, key } })),
  place("tls.ca", "tls.ca", "/sentinel.ca", path, (ca) => ({ tls: { ...files, ca } })),
  place("storage.place.kind", "storage.place.kind", "volume", chosen("volume"), (kind) => ({ storage: { place: { kind } } })),
  place("storage.place.name", "storage.place.name", "sentinel-volume", dockerName, (name) => ({ storage: { place: { kind: "volume", name } } })),
  place("storage.place.path", "storage.place.path", "/sentinel/store", path.map((p) => `/srv${p}`), (p) => ({ storage: { place: { kind: "bind", path: p } } })),
  place("storage.directoryMode", "storage.directoryMode", "2770", chosen("2770", "0750", "0755"), (directoryMode) => ({ storage: { directoryMode } })),
  place("storage.fileMode", "storage.fileMode", "0660", chosen("0660", "0640", "0646"), (fileMode) => ({ storage: { fileMode } })),
  place("upload.path", "upload.path", "/sentinel-upload", urlPath, (p) => ({ upload: { path: p } })),
  place("upload.setFields (name)", "upload.setFields", "sentinel_name", startTemplate, (name) => ({ upload: { setFields: { ...classic, [name]: "v" } } })),
  place("upload.setFields (value)", "upload.setFields", "sentinel_value", startTemplate, (v) => ({ upload: { setFields: { ...classic, extra: v } } })),
  place("upload.aggregateFields (name)", "upload.aggregateFields", "sentinel_name", startTemplate, (name) => ({ upload: { aggregateFields: { [name]: "v" } } })),
  place("upload.aggregateFields (value)", "upload.aggregateFields", "sentinel_value", template("$upload_file_size", "$upload_file_md5", "$upload_file_crc32"), (v) => ({ upload: { aggregateFields: { extra: v } } })),
  place("upload.checksums", "upload.checksums", "sha512", chosen("md5", "sha1", "crc32"), (sum) => ({ upload: { checksums: [sum] } })),
  place("upload.passFields", "upload.passFields", "^sentinel$", regex, (text) => ({ upload: { passFields: [text] } })),
  place("upload.cleanup", "upload.cleanup", "207-208", chosen("200-599", "404", "500-503"), (text) => ({ upload: { cleanup: [text] } })),
  place("upload.maxFileSize", "upload.maxFileSize", "1234567m", size, (maxFileSize) => ({ upload: { maxFileSize } })),
  place("upload.maxBodySize", "upload.maxBodySize", "1234567m", size, (maxBodySize) => ({ upload: { maxBodySize } })),
  place("upload.minFreeSpace", "upload.minFreeSpace", "1234567k", size, (minFreeSpace) => ({ upload: { minFreeSpace } })),
  place("upload.limitRate", "upload.limitRate", "1234567k", size, (limitRate) => ({ upload: { limitRate } })),
  place("upload.bufferSize", "upload.bufferSize", "765k", fc.integer({ min: 16, max: 9999 }).map((n) => `${n}k`), (bufferSize) => ({ upload: { bufferSize } })),
  place("upload.bodyTimeout", "upload.bodyTimeout", "4321s", seconds, (bodyTimeout) => ({ upload: { bodyTimeout } })),
  place("upload.completionTimeout", "upload.completionTimeout", "4321s", seconds, (completionTimeout) => ({ upload: { completionTimeout } })),
  place("upload.expireAfter", "upload.expireAfter", "4321s", seconds, (expireAfter) => ({ upload: { expireAfter } })),
  place("upload.corsOrigins", "upload.corsOrigins", "https://sentinel.example", hostName.map((host) => `https://${host}`), (origin) => ({ upload: { corsOrigins: [origin] } })),
  place("images.base", "images.base", "sentinel:base", fc.stringMatching(/^[a-z0-9]{1,8}(\/[a-z0-9]{1,8})?(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,8})?$/), (base) => ({ images: { base } })),
  place("images.module.kind", "images.module.kind", "own", chosen("own"), (kind) => ({ images: { module: { kind } } })),
  place("images.module.path", "images.module.path", "/sentinel/module", path, (p) => ({ images: { module: { kind: "folder", path: p } } })),
  place("images.module.sha256", "images.module.sha256", "5e".repeat(32), fc.stringMatching(/^[0-9a-f]{64}$/), (sha256) => ({ images: { module: { kind: "archive", path: "/a.tar.gz", sha256 } } })),
  place("service.database", "service.database", "/sentinel/x.db", path, (database) => ({ service: { database } })),
  place("service.logLevel", "service.logLevel", "info", chosen("debug", "warn", "error"), (logLevel) => ({ service: { logLevel } })),
  place("service.abandonedAfter", "service.abandonedAfter", "4321s", seconds, (abandonedAfter) => ({ service: { abandonedAfter } })),
  place("application.kind", "application.kind", "http", chosen("http"), (kind) => ({ application: { kind, address: "web:8000" } })),
  place("application.address", "application.address", "sentinel:8000", fc.tuple(hostName, fc.integer({ min: 1, max: 65535 })).map(([host, port]) => `${host}:${port}`), (address) => ({ application: { kind: "http", address } })),
  place("application.network", "application.network", "sentinel-network", dockerName, (network) => ({ application: { kind: "http", address: "web:8000", network } })),
  place("application.completionPath", "application.completionPath", "/sentinel-done/", urlPath, (completionPath) => ({ application: { kind: "http", address: "web:8000", completionPath } })),
];

/** Text meant to break out of that place: fragments alone, and cut into a good value. */
export function hostileText(at: StringPlace): fc.Arbitrary<string> {
  const fragment = fc.oneof(fc.constantFrom(...FRAGMENTS), fc.string({ unit: "binary", maxLength: 6 }));
  const cut = fc.tuple(fc.oneof(at.good, fc.constant(at.sentinel)), fc.nat(), fragment).map(([good, where, bad]) => {
    const i = where % (good.length + 1);
    return good.slice(0, i) + bad + good.slice(i);
  });
  return fc.oneof(cut, fragment, fc.string({ maxLength: 40 }), fc.tuple(fragment, fragment).map((two) => two.join("")));
}

/** Good values and hostile text, half and half. */
export const anyText = (at: StringPlace): fc.Arbitrary<string> => fc.oneof(at.good, hostileText(at));
