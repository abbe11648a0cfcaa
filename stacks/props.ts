/** What a site may be asked to be: the types that `stacks/site.ts` is checked against while it is edited. */

/** Where the site listens. */
export interface ListenProps {
  /**
   * Address on the host that the ports are published on. Any other than a loopback
   * address needs {@link publicWithoutAuthentication}.
   * @default "127.0.0.1"
   */
  readonly address?: string;
  /**
   * HTTPS port on the host.
   * @default 443
   */
  readonly httpsPort?: number;
  /**
   * HTTP port on the host, which only redirects to HTTPS; `false` publishes none.
   * @default 80
   */
  readonly httpPort?: number | false;
  /**
   * Says by name that anybody who reaches the address may upload, list and download.
   * @default false
   */
  readonly publicWithoutAuthentication?: boolean;
}

/** Certificate that the administrator has; made by `Tls.files`. */
export interface TlsFilesProps {
  readonly kind: "files";
  /** Absolute path on the host of the certificate chain, PEM. */
  readonly certificate: string;
  /** Absolute path on the host of the private key, PEM; readable by the site's uid or gid. */
  readonly key: string;
  /**
   * Absolute path of the CA certificate that clients should trust, PEM.
   * @default none: clients trust the system's CAs
   */
  readonly ca?: string;
}

/** Certificate from a CA of the site's own, made once by `npm run setup`; made by `Tls.selfSigned`. */
export interface TlsSelfSignedProps {
  readonly kind: "selfSigned";
}

export type TlsProps = TlsFilesProps | TlsSelfSignedProps;

/** Where uploads are kept; made by `Storage.volume` or `Storage.bind`. */
export type StoragePlaceProps =
  | { readonly kind: "volume"; /** Docker volume name. @default "<site name>-data" */ readonly name?: string }
  | { readonly kind: "bind"; /** Absolute path of a directory on the host; mounted at the same path. */ readonly path: string };

export interface StorageProps {
  /**
   * A Docker volume or a directory of the host.
   * @default Storage.volume()
   */
  readonly place?: StoragePlaceProps;
  /**
   * User id that nginx and the service run as and that owns every file; never 0.
   * @default 10001
   */
  readonly uid?: number;
  /**
   * Group id, likewise; never 0.
   * @default 10001
   */
  readonly gid?: number;
  /**
   * Mode of the directories, four octal digits, exact whatever the umask.
   * @default "2770"
   */
  readonly directoryMode?: string;
  /**
   * Mode of the files, four octal digits, exact whatever the umask.
   * @default "0660"
   */
  readonly fileMode?: string;
  /**
   * Digits of each level of hashed directories below `incoming/`, at most three levels.
   * @default [1]
   */
  readonly hashLevels?: readonly number[];
}

export type Checksum = "md5" | "sha1" | "sha256" | "sha512" | "crc32";

export interface UploadProps {
  /**
   * Path that takes the POST.
   * @default "/upload"
   */
  readonly path?: string;
  /**
   * Fields set when a file starts: name -> value, both text with `$upload_*` variables.
   * @default { "$upload_field_name.name": "$upload_file_name", "$upload_field_name.content_type": "$upload_content_type", "$upload_field_name.path": "$upload_tmp_path" }
   */
  readonly setFields?: Readonly<Record<string, string>>;
  /**
   * Fields set when a file has ended, beside the checksums and the size.
   * @default {}
   */
  readonly aggregateFields?: Readonly<Record<string, string>>;
  /**
   * Checksums computed on the way; each is passed on as `<field>.<checksum>`. md5 halves the speed.
   * @default ["sha256"]
   */
  readonly checksums?: readonly Checksum[];
  /**
   * Regular expressions (PCRE) of the ordinary form fields that pass on. With `application`, or another module than
   * Slipway's own, these alone do. Else the site speaks tus, and `description` and `relativePath` always pass: a file is
   * described and placed in the same way whether it came in a form or by tus, whose metadata no expression filters, and
   * clients may rely on it (`Slipway-Form-Files`).
   * @default ["^submit$", "^description$", "^name$", "^relativePath$", "^terminal$"]
   */
  readonly passFields?: readonly string[];
  /**
   * Final statuses that delete the request's files: a code or a range.
   * @default ["400-599"]
   */
  readonly cleanup?: readonly string[];
  /**
   * Largest file, an nginx size ("20g"); "0" is no limit.
   * @default "0"
   */
  readonly maxFileSize?: string;
  /**
   * Largest request body, an nginx size; "0" is no limit.
   * @default "0"
   */
  readonly maxBodySize?: string;
  /**
   * Space that stays free in the storage, an nginx size ("50g"); an upload that would take it is refused, at once
   * when its length is known. Needs Slipway's own nginx module.
   * @default "0"
   */
  readonly minFreeSpace?: string;
  /**
   * Bytes a second for one request, an nginx size; "0" is no limit.
   * @default "0"
   */
  readonly limitRate?: string;
  /**
   * Write buffer of one upload, an nginx size; small ones are slow.
   * @default "1m"
   */
  readonly bufferSize?: string;
  /**
   * Longest silence of a client in mid-upload, an nginx duration.
   * @default "60s"
   */
  readonly bodyTimeout?: string;
  /**
   * Longest wait for the completion's answer, an nginx duration.
   * @default "120s"
   */
  readonly completionTimeout?: string;
  /**
   * How long an unfinished resumable upload waits for its next byte before it is removed, an nginx duration.
   * @default "7d"
   */
  readonly expireAfter?: string;
  /**
   * Origins of other sites whose pages may upload by tus, resumable uploads and PUT; `["*"]` is every site.
   * @default []
   */
  readonly corsOrigins?: readonly string[];
}

/** Which upload module is compiled into the nginx image; made by `UploadModule.own`, `.folder` or `.archive`. */
export type UploadModuleProps =
  | { readonly kind: "own" }
  | { readonly kind: "folder"; /** Absolute path of an nginx module's source folder (with its `config`). */ readonly path: string }
  | { readonly kind: "archive"; /** Absolute path of a .tar.gz. */ readonly path: string; /** Its SHA-256, 64 hex digits. */ readonly sha256: string };

export interface ImagesProps {
  /**
   * Debian image that both images start from.
   * @default "debian:trixie-slim"
   */
  readonly base?: string;
  /**
   * The upload module.
   * @default UploadModule.own()
   */
  readonly module?: UploadModuleProps;
}

export interface ServiceProps {
  /**
   * Memory limit of the service's container, in MiB.
   * @default 256
   */
  readonly memoryMiB?: number;
  /**
   * Absolute path of the SQLite file inside the service's container, on its own volume `<site name>-database`
   * (never on a network file system).
   * @default "/var/lib/slipway/slipway.db"
   */
  readonly database?: string;
  /**
   * Least severe level that is logged.
   * @default "info"
   */
  readonly logLevel?: "debug" | "info" | "warn" | "error";
  /**
   * Age at which a file in `incoming/` that nobody writes to is removed, an unfinished ranged upload included; an nginx duration.
   * @default "24h"
   */
  readonly abandonedAfter?: string;
}

/**
 * An application of the site's own that takes completions, and every path but the upload's, in place of
 * Slipway's service; made by `Application.http` or `Application.uwsgi`.
 */
export interface ApplicationProps {
  readonly kind: "http" | "uwsgi";
  /** `host:port`; the host is a name on {@link network}, an IP address, or `host.docker.internal` for the host. */
  readonly address: string;
  /**
   * Existing Docker network that nginx joins to reach the application.
   * @default none: the address is reached from nginx's own networks
   */
  readonly network?: string;
  /**
   * Path that a completed upload is passed on to.
   * @default the upload's own path
   */
  readonly completionPath?: string;
}

/** The whole of a site. */
export interface SiteProps {
  /**
   * Name of the site: prefix of every Docker resource, and of its folder below `.slipway/`.
   * @default "slipway"
   */
  readonly name?: string;
  /**
   * Host names that the site answers to, in the certificate as well.
   * @default ["localhost"]
   */
  readonly serverNames?: readonly string[];
  readonly listen?: ListenProps;
  /** @default Tls.selfSigned() */
  readonly tls?: TlsProps;
  readonly storage?: StorageProps;
  readonly upload?: UploadProps;
  readonly images?: ImagesProps;
  readonly service?: ServiceProps;
  /** @default none: Slipway's own service completes the uploads */
  readonly application?: ApplicationProps;
}
