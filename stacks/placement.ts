/**
 * Where one site's configuration runs: the paths and addresses that differ between the containers
 * and the host processes, and nothing else.
 */

import type { SiteSettings } from "./settings.ts";

export interface Placement {
  /** Version of the nginx that will read the configuration, "1.26.3": `http2` is spelled differently from 1.25.1 on. */
  readonly nginxVersion: string;
  /** Absolute path of the upload module, `ngx_http_upload_module.so`. */
  readonly modulePath: string;
  /** Absolute path of the pid file. */
  readonly pidPath: string;
  /** Absolute path of an existing folder for nginx's temporary files. */
  readonly tempDir: string;
  /** Absolute path of a file, or "stderr". */
  readonly errorLog: string;
  /** Absolute path of a file; `/dev/stdout` works only where that is a file or a pipe, never a socket. */
  readonly accessLog: string;
  /** Absolute path of the store, the folder that holds `incoming/` and `files/`. */
  readonly store: string;
  /** Where HTTPS listens: a port of all addresses ("8443") or one address ("127.0.0.1:18443"). */
  readonly httpsListen: string;
  /** Where the redirect to HTTPS listens, or null for none. */
  readonly httpListen: string | null;
  /** Where a plain-HTTP `/healthz` of nginx alone listens (for the container's health check), or null for none. */
  readonly healthListen: string | null;
  /** Port of the site as the world sees it, for redirects. */
  readonly httpsPublicPort: number;
  /** Absolute path of the certificate chain, PEM. */
  readonly certificate: string;
  /** Absolute path of its private key, PEM. */
  readonly key: string;
  /** Absolute path of the file with `set $slipway_secret "...";`; not read when an application completes the uploads. */
  readonly secretConf: string;
  /** Absolute path of the folder that holds what `errorPages()` makes. */
  readonly errorPages: string;
  /** Slipway's own service; unused when an application completes the uploads. */
  readonly service: {
    /** `host:port`. */
    readonly address: string;
  };
  /** Address of a DNS server that finds a replaced container again ("127.0.0.11" in Docker), or null where names never move. */
  readonly resolver: string | null;
  readonly workerProcesses: number | "auto";
  /** Whether nginx stays in the foreground. */
  readonly foreground: boolean;
  /** User that the workers run as when nginx is started by root; null when it is not. */
  readonly user: string | null;
}

/** Where a volume is mounted, in both containers; a bind is mounted at its own path. */
export const VOLUME_STORE = "/srv/slipway";

/** The containers; the images and mounts are made to match. */
export function dockerPlacement(settings: SiteSettings): Placement {
  const { place } = settings.storage;
  return Object.freeze({
    nginxVersion: "1.26.3",
    modulePath: "/usr/lib/slipway/ngx_http_upload_module.so",
    pidPath: "/run/slipway/nginx.pid",
    tempDir: "/tmp",
    errorLog: "stderr",
    accessLog: "/dev/stdout",
    store: place.kind === "bind" ? place.path : VOLUME_STORE,
    httpsListen: "8443",
    httpListen: settings.listen.httpPort === false ? null : "8080",
    healthListen: "127.0.0.1:8081",
    httpsPublicPort: settings.listen.httpsPort,
    certificate: "/run/secrets/slipway/site.pem",
    key: "/run/secrets/slipway/site.key",
    secretConf: "/run/secrets/slipway/nginx-secret.conf",
    errorPages: "/usr/share/slipway/errors",
    service: { address: "service:8080" },
    resolver: "127.0.0.11",
    workerProcesses: "auto",
    foreground: true,
    user: null,
  });
}
