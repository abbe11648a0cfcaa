/** How a site file names its choices: `Tls.files(...)`, `Storage.bind(...)`, `UploadModule.own()`, `Application.uwsgi(...)`. */

import type { ApplicationProps, StoragePlaceProps, TlsProps, UploadModuleProps } from "./props.ts";

/** Where the certificate comes from. */
export const Tls = Object.freeze({
  /**
   * Certificate and key that the administrator has, PEM files on the host.
   * @param files.ca CA certificate that clients should trust; default: clients trust the system's CAs
   */
  files: (files: { readonly certificate: string; readonly key: string; readonly ca?: string }): TlsProps => Object.freeze({ kind: "files", ...files }),
  /** Certificate from a CA of the site's own, which setup makes once. */
  selfSigned: (): TlsProps => Object.freeze({ kind: "selfSigned" }),
});

/** Where uploads are kept. */
export const Storage = Object.freeze({
  /** A Docker volume; its name is `<site name>-data` unless given. */
  volume: (name?: string): StoragePlaceProps => Object.freeze(name === undefined ? { kind: "volume" } : { kind: "volume", name }),
  /** A directory of the host, mounted at the same path. */
  bind: (path: string): StoragePlaceProps => Object.freeze({ kind: "bind", path }),
});

/** Which upload module is compiled into the nginx image. */
export const UploadModule = Object.freeze({
  /** Slipway's own. */
  own: (): UploadModuleProps => Object.freeze({ kind: "own" }),
  /** Source folder of another nginx module with the same directives (the folder with its `config`). */
  folder: (path: string): UploadModuleProps => Object.freeze({ kind: "folder", path }),
  /** The same as a .tar.gz, which must have this SHA-256 (64 hex digits). */
  archive: (path: string, sha256: string): UploadModuleProps => Object.freeze({ kind: "archive", path, sha256 }),
});

type ApplicationAt = Omit<ApplicationProps, "kind" | "address">;

/** An application of the site's own behind the upload. */
export const Application = Object.freeze({
  /** Spoken to in HTTP, at `host:port`. */
  http: (address: string, more: ApplicationAt = {}): ApplicationProps => Object.freeze({ kind: "http", address, ...more }),
  /** Spoken to in the uwsgi protocol, at `host:port`. */
  uwsgi: (address: string, more: ApplicationAt = {}): ApplicationProps => Object.freeze({ kind: "uwsgi", address, ...more }),
});
