/**
 * Every setting of a site, one row each: what it may be, what it is when nobody says, what it does and
 * which directive or resource it reaches. The check, its error texts and the reference page come from here.
 */

import * as allow from "../lib/allow.ts";
import type { ValueType } from "../lib/allow.ts";
import * as fields from "../lib/upload-fields.ts";
import type { SiteProps } from "./props.ts";

/** Paths of all props, through every form of a union; a list or a record of free names is one prop. */
type PathsOf<T> = T extends readonly unknown[] | string | number | boolean
  ? never
  : { [K in keyof T & string]: `${K}` | (IsGroup<Exclude<T[K], undefined>> extends true ? `${K}.${PathsOf<Exclude<T[K], undefined>>}` : never) }[keyof T & string];
type IsGroup<T> = T extends readonly unknown[] ? false : T extends object ? (string extends keyof T ? false : true) : false;
type AllPaths = PathsOf<Required3<SiteProps>>;
type Required3<T> = T extends readonly unknown[] | string | number | boolean ? T : { [K in keyof T]-?: Required3<Exclude<T[K], undefined>> };
/** Paths that lead to a value, not to a group of props. */
export type SettingPath = { [P in AllPaths]: Extract<AllPaths, `${P}.${string}`> extends never ? P : never }[AllPaths];

/** What a setting is when the props do not say. */
export type Default =
  | { readonly kind: "value"; readonly value: unknown }
  /** Worked out from other settings by {@link checkSite}; the text says how. */
  | { readonly kind: "derived"; readonly text: string }
  | { readonly kind: "none"; readonly text: string }
  | { readonly kind: "required" };

export interface Setting<T> {
  readonly type: ValueType<T>;
  readonly default: Default;
  /** Unit of the value, where it has one. */
  readonly unit?: string;
  /** What it does, a sentence for the reference. */
  readonly does: string;
  /** The directive or resource it reaches. */
  readonly reaches: string;
  /** The kinds that it belongs to, for a prop of a union. */
  readonly kinds?: readonly string[];
}

const value = (v: unknown): Default => ({ kind: "value", value: v });
const derived = (text: string): Default => ({ kind: "derived", text });
const none = (text: string): Default => ({ kind: "none", text });
const required: Default = { kind: "required" };

function row<T>(type: ValueType<T>, otherwise: Default, does: string, reaches: string, more: Pick<Setting<T>, "unit" | "kinds"> = {}): Setting<T> {
  return Object.freeze({ type, default: otherwise, does, reaches, ...more });
}

const site = {
  name: row(allow.siteName, value("slipway"), "Name of the site: prefix of every Docker resource, and of its folder below `.slipway/`.", "names of containers, networks, volumes, images"),
  serverNames: row(allow.list(allow.hostName, { min: 1, max: 64 }), value(["localhost"]), "Host names that the site answers to, in the certificate as well; `localhost`, loopback and the listen address always count. A request for any other name is answered with 421.", "`server_name`, certificate"),
  "listen.address": row(allow.address, value("127.0.0.1"), "Address on the host that the ports are published on. Any other than a loopback address needs `listen.publicWithoutAuthentication`.", "published ports, `listen`"),
  "listen.httpsPort": row(allow.port, value(443), "HTTPS port on the host.", "published port, redirect"),
  "listen.httpPort": row(allow.portOrNone, value(80), "HTTP port on the host, which only redirects to HTTPS; `false` publishes none.", "published port"),
  "listen.publicWithoutAuthentication": row(allow.boolean, value(false), "Says by name that anybody who reaches the address may upload, list and download.", "the check of `listen.address`"),
  "tls.kind": row(allow.oneOf("files", "selfSigned"), value("selfSigned"), "Where the certificate comes from: files of yours, or a CA of the site's own that setup makes once.", "`ssl_certificate`, mounts"),
  "tls.certificate": row(allow.absolutePath, required, "Certificate chain on the host, PEM.", "`ssl_certificate`, mount", { kinds: ["files"] }),
  "tls.key": row(allow.absolutePath, required, "Private key on the host, PEM; readable by the site's uid or gid.", "`ssl_certificate_key`, mount", { kinds: ["files"] }),
  "tls.ca": row(allow.absolutePath, none("clients trust the system's CAs"), "CA certificate that clients should trust, PEM.", "what `up` and `status` tell clients", { kinds: ["files"] }),
} as const;

const storage = {
  "storage.place.kind": row(allow.oneOf("volume", "bind"), value("volume"), "A Docker volume or a directory of the host.", "mount"),
  "storage.place.name": row(allow.dockerName, derived("`<site name>-data`"), "Name of the Docker volume.", "volume", { kinds: ["volume"] }),
  "storage.place.path": row(allow.absolutePath, required, "Directory on the host; mounted at the same path.", "mount, `upload_store`", { kinds: ["bind"] }),
  "storage.uid": row(allow.integer("user id", 1, 2_147_483_646, "never 0, which is root"), value(10001), "User that nginx and the service run as and that owns every file; never root.", "`user` of the containers"),
  "storage.gid": row(allow.integer("group id", 1, 2_147_483_646, "never 0, which is root"), value(10001), "Group, likewise.", "`user` of the containers"),
  "storage.directoryMode": row(allow.directoryMode, value("2770"), "Mode of the directories, exact whatever the umask.", "image, entrypoint, `SLIPWAY_DIRECTORY_MODE`"),
  "storage.fileMode": row(allow.fileMode, value("0660"), "Mode of the files, exact whatever the umask.", "`upload_store_access`, `SLIPWAY_FILE_MODE`"),
  "storage.hashLevels": row(allow.list(allow.integer("number of digits", 1, 3), { min: 0, max: 3, repeats: true }), value([1]), "Digits of each level of hashed directories below `incoming/`.", "`upload_store`, image"),
} as const;

const upload = {
  "upload.path": row(allow.urlPath, value("/upload"), "Path that takes the POST.", "`location`"),
  "upload.setFields": row(
    allow.record(fields.startName, fields.startValue, 32),
    value({ "$upload_field_name.name": "$upload_file_name", "$upload_field_name.content_type": "$upload_content_type", "$upload_field_name.path": "$upload_tmp_path" }),
    "Form fields set when a file starts: name and value.",
    "`upload_set_form_field`",
  ),
  "upload.aggregateFields": row(allow.record(fields.endName, fields.endValue, 32), value({}), "Form fields set when a file has ended, beside its size and the checksums, which are always there.", "`upload_aggregate_form_field`"),
  "upload.checksums": row(allow.list(allow.oneOf("md5", "sha1", "sha256", "sha512", "crc32"), { min: 0, max: 5 }), value(["sha256"]), "Checksums computed on the way; each is passed on as `<field>.<checksum>`. md5 halves the speed.", "`upload_aggregate_form_field`"),
  "upload.passFields": row(allow.list(fields.fieldRegex, { min: 0, max: 64 }), value(["^submit$", "^description$", "^name$", "^relativePath$", "^terminal$"]), "Regular expressions of the ordinary form fields that pass on. Where tus is spoken, without an application, `description` and `relativePath` always do: an upload by tus brings them too.", "`upload_pass_form_field`"),
  "upload.cleanup": row(allow.list(allow.statusRange, { min: 0, max: 64 }), value(["400-599"]), "Final statuses that delete the request's files.", "`upload_cleanup`"),
  "upload.maxFileSize": row(allow.size({ zero: true }), value("0"), "Largest file; `0` is no limit.", "`upload_max_file_size`", { unit: "bytes" }),
  "upload.maxBodySize": row(allow.size({ zero: true }), value("0"), "Largest request body; `0` is no limit.", "`client_max_body_size`", { unit: "bytes" }),
  "upload.minFreeSpace": row(allow.size({ zero: true }), value("0"), "Space that stays free in the storage: an upload that would take it is refused. Needs Slipway's own module.", "`upload_min_free_space`, `X-Slipway-Min-Free-Space`", { unit: "bytes" }),
  "upload.limitRate": row(allow.size({ zero: true, min: "1k" }), value("0"), "Speed of one request; `0` is no limit.", "`upload_limit_rate`", { unit: "bytes a second" }),
  "upload.bufferSize": row(allow.size({ min: "16k", max: "64m" }), value("1m"), "Write buffer of one upload; small ones are slow.", "`upload_buffer_size`, `client_body_buffer_size`", { unit: "bytes" }),
  "upload.bodyTimeout": row(allow.duration("1s", "1d"), value("60s"), "Longest silence of a client in mid-upload.", "`client_body_timeout`"),
  "upload.completionTimeout": row(allow.duration("1s", "1d"), value("120s"), "Longest wait for the completion's answer.", "`proxy_read_timeout`, `uwsgi_read_timeout`"),
  "upload.expireAfter": row(allow.duration("1m", "52w"), value("7d"), "How long an unfinished resumable upload waits for its next byte before it is removed.", "`X-Slipway-Expire-After`"),
  "upload.corsOrigins": row(allow.list(allow.origin, { min: 0, max: 32 }), value([]), "Origins of other sites whose pages may upload by tus, resumable uploads and PUT; `*` is every site.", "`X-Slipway-Cors-Origins`"),
} as const;

const rest = {
  "images.base": row(allow.imageReference, value("debian:trixie-slim"), "Debian image that both images start from.", "images"),
  "images.module.kind": row(allow.oneOf("own", "folder", "archive"), value("own"), "Which upload module is compiled into the nginx image: Slipway's, or one from a folder or an archive.", "nginx image, `load_module`"),
  "images.module.path": row(allow.absolutePath, required, "Source folder (with its `config`), or a .tar.gz of one.", "nginx image", { kinds: ["folder", "archive"] }),
  "images.module.sha256": row(allow.sha256, required, "SHA-256 of the archive.", "nginx image", { kinds: ["archive"] }),
  "service.memoryMiB": row(allow.integer("memory limit", 64, 65_536), value(256), "Memory limit of the service's container.", "container", { unit: "MiB" }),
  "service.database": row(allow.absolutePath, value("/var/lib/slipway/slipway.db"), "SQLite file inside the service's container, on its own volume `<site name>-database`; never on a network file system.", "`SLIPWAY_DATABASE`, mount"),
  "service.logLevel": row(allow.oneOf("debug", "info", "warn", "error"), value("info"), "Least severe level that is logged.", "`SLIPWAY_LOG_LEVEL`"),
  "service.abandonedAfter": row(allow.duration("1m", "52w"), value("24h"), "Age at which a file in `incoming/` that nobody writes to is removed, an unfinished ranged upload included.", "`SLIPWAY_ABANDONED_AFTER`"),
  "application.kind": row(allow.oneOf("http", "uwsgi"), required, "Protocol of an application that takes completions, and every path but the upload's, in place of Slipway's service.", "`proxy_pass` or `uwsgi_pass`"),
  "application.address": row(allow.hostAndPort, required, "Where the application listens; the host is a name on `application.network`, an IP address, or `host.docker.internal` for the host.", "`proxy_pass` or `uwsgi_pass`"),
  "application.network": row(allow.dockerName, none("the address is reached from nginx's own networks"), "Existing Docker network that nginx joins to reach the application.", "networks of the nginx container"),
  "application.completionPath": row(allow.urlPath, derived("the upload's own path"), "Path that a completed upload is passed on to.", "`proxy_pass`, `PATH_INFO`"),
} as const;

/** The table; the compiler refuses a row without a prop and a prop without a row. */
export const settingsTable = Object.freeze({ ...site, ...storage, ...upload, ...rest } satisfies Record<SettingPath, Setting<unknown>>);

/** Everything that a row's value can be once it is checked. */
export type SettingValue<P extends SettingPath> = (typeof settingsTable)[P] extends Setting<infer T> ? T : never;

/** A group of props that as a whole may be left out, and then is nothing rather than its defaults. */
export const OPTIONAL_GROUPS: readonly string[] = ["application"];
