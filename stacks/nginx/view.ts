/** What the templates of nginx.conf show: settings and placement worked into plain values, every key present. */

import { sizeWithoutG } from "../../lib/size.ts";
import { windowSize } from "../../lib/window.ts";
import type { Placement } from "../placement.ts";
import { endFields } from "../settings-cross.ts";
import type { SiteSettings } from "../settings.ts";
import { ERROR_POLICY, errorStatuses, type ErrorStatus } from "./error-pages.ts";

interface Field {
  readonly name: string;
  readonly value: string;
}

export interface UploadView {
  readonly path: string;
  readonly store: string;
  readonly hashLevels: readonly number[];
  readonly access: string;
  readonly setFields: readonly Field[];
  readonly endFields: readonly Field[];
  readonly passFields: readonly string[];
  /** Empty lists are null: the directive is left out. */
  readonly cleanup: readonly string[] | null;
  readonly maxFileSize: string;
  /** With commas between; empty when there is none. */
  readonly checksums: string;
  readonly maxBodySize: string;
  /** Null where nothing is to stay free: another module may not have the directive. */
  readonly minFreeSpace: string | null;
  readonly limitRate: string;
  readonly bufferSize: string;
  /** What core has of a body, never less than `bufferSize`: over HTTP/2 and HTTP/3 the window of a stream. */
  readonly windowSize: string;
  readonly bodyTimeout: string;
  readonly completionTimeout: string;
}

/** Uploads in several requests: what the service's dialects need of nginx. */
export interface SessionsView {
  /** Prefix of the addresses below the upload's own. */
  readonly below: string;
  readonly checksums: readonly string[];
  /** Seconds. */
  readonly expireAfter: number;
  /** An nginx size. */
  readonly minFreeSpace: string;
  /** With spaces between. */
  readonly corsOrigins: string;
}

export interface NginxView {
  readonly modulePath: string;
  readonly user: string | null;
  readonly daemon: "on" | "off";
  readonly workerProcesses: string;
  readonly pidPath: string;
  readonly errorLog: string;
  readonly accessLog: string;
  readonly tempDir: string;
  readonly store: string;
  readonly secretConf: string;
  readonly httpsListen: string;
  /** Parameters of `listen` for HTTPS. */
  readonly listenFlags: string;
  /** Whether HTTP/2 is turned on by a directive of its own. */
  readonly http2Directive: boolean;
  readonly httpListen: string | null;
  readonly healthListen: string | null;
  readonly httpsPublicPort: number;
  /** ":8443", or nothing for 443. */
  readonly publicPort: string;
  readonly serverNames: readonly string[];
  readonly certificate: string;
  readonly key: string;
  readonly hsts: boolean;
  readonly errorPages: string;
  readonly errorPolicy: string;
  readonly errorStatuses: readonly ErrorStatus[];
  /** Null where no name has to be asked for. */
  readonly resolver: string | null;
  /** Server of an `upstream` block, or null where {@link upstreamTarget} is asked for at each request. */
  readonly upstreamServer: string | null;
  readonly upstreamTarget: string;
  readonly upload: UploadView;
  /** Null without Slipway's own service or module. */
  readonly sessions: SessionsView | null;
  /** Null when Slipway's own service completes the uploads. */
  readonly application: { readonly http: boolean; readonly uwsgi: boolean; readonly completionPath: string } | null;
}

/** "0660" -> "user:rw group:rw", as `upload_store_access` says it. */
export function storeAccess(fileMode: string): string {
  const words: Readonly<Record<string, string>> = { "4": "r", "6": "rw" };
  const who = ["user", "group", "all"] as const;
  return who.map((name, i) => [name, words[fileMode[i + 1]!]] as const).filter(([, may]) => may !== undefined).map(([name, may]) => `${name}:${may}`).join(" ");
}

/** Names that the site answers to: its own, loopback, and the address that it listens on where that is one. */
export function answeredNames(settings: SiteSettings): readonly string[] {
  const { address } = settings.listen;
  const shown = address.includes(":") ? `[${address}]` : address;
  const wildcard = /^[0:.]+$/.test(address);
  return [...new Set([...settings.serverNames, "localhost", "127.0.0.1", "[::1]", ...(wildcard ? [] : [shown])])];
}

/** Whether `listen ... http2` is outdated, as nginx warns from 1.25.1 on. */
export function hasHttp2Directive(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  return major > 1 || (major === 1 && (minor > 25 || (minor === 25 && patch >= 1)));
}

/**
 * How requests reach what completes them. A name that a resolver knows is asked for at each request, so that a
 * replaced container is found again; an address, and a name that only /etc/hosts has, stands in an `upstream` block.
 */
function upstream(settings: SiteSettings, placement: Placement): Pick<NginxView, "resolver" | "upstreamServer" | "upstreamTarget"> {
  const target = settings.application?.address ?? placement.service.address;
  const host = target.slice(0, target.lastIndexOf(":"));
  const fixed = placement.resolver === null || host === "host.docker.internal" || host.startsWith("[") || /^[0-9.]+$/.test(host);
  if (fixed) return { resolver: null, upstreamServer: target, upstreamTarget: "slipway_upstream" };
  return { resolver: placement.resolver, upstreamServer: null, upstreamTarget: target };
}

const fields = (entries: readonly (readonly [string, string])[]): Field[] => entries.map(([name, value]) => ({ name, value }));

function uploadView({ upload, storage, images }: SiteSettings, store: string): UploadView {
  return {
    path: upload.path,
    store: `${store}/incoming`,
    hashLevels: storage.hashLevels,
    access: storeAccess(storage.fileMode),
    setFields: fields(Object.entries(upload.setFields)),
    endFields: fields(endFields(upload)),
    passFields: upload.passFields,
    cleanup: upload.cleanup.length > 0 ? upload.cleanup : null,
    maxFileSize: upload.maxFileSize.text,
    checksums: upload.checksums.join(","),
    maxBodySize: upload.maxBodySize.text,
    minFreeSpace: upload.minFreeSpace.bytes > 0 ? upload.minFreeSpace.text : null,
    limitRate: sizeWithoutG(upload.limitRate),
    bufferSize: upload.bufferSize.text,
    windowSize: images.module.kind === "own" ? windowSize(upload.bufferSize) : upload.bufferSize.text,
    bodyTimeout: upload.bodyTimeout.text,
    completionTimeout: upload.completionTimeout.text,
  };
}

function sessionsView({ upload, application, images }: SiteSettings): SessionsView | null {
  if (application !== null || images.module.kind !== "own") return null;
  return {
    below: `${upload.path.replace(/\/$/, "")}/`,
    checksums: upload.checksums,
    expireAfter: upload.expireAfter.seconds,
    minFreeSpace: upload.minFreeSpace.text,
    corsOrigins: upload.corsOrigins.join(" "),
  };
}

/** The view of a site at a place. */
export function nginxView(settings: SiteSettings, placement: Placement): NginxView {
  const { application } = settings;
  const http2Directive = hasHttp2Directive(placement.nginxVersion);
  return Object.freeze({
    modulePath: placement.modulePath,
    user: placement.user,
    daemon: placement.foreground ? "off" : "on",
    workerProcesses: String(placement.workerProcesses),
    pidPath: placement.pidPath,
    errorLog: placement.errorLog === "stderr" ? "stderr" : `"${placement.errorLog}"`,
    accessLog: placement.accessLog,
    tempDir: placement.tempDir,
    store: placement.store,
    secretConf: placement.secretConf,
    httpsListen: placement.httpsListen,
    listenFlags: http2Directive ? "ssl" : "ssl http2",
    http2Directive,
    httpListen: placement.httpListen,
    healthListen: placement.healthListen,
    httpsPublicPort: placement.httpsPublicPort,
    publicPort: placement.httpsPublicPort === 443 ? "" : `:${placement.httpsPublicPort}`,
    serverNames: answeredNames(settings),
    certificate: placement.certificate,
    key: placement.key,
    hsts: settings.tls.kind === "files",
    errorPages: placement.errorPages,
    errorPolicy: ERROR_POLICY,
    errorStatuses,
    ...upstream(settings, placement),
    upload: uploadView(settings, placement.store),
    sessions: sessionsView(settings),
    application: application && {
      http: application.kind === "http",
      uwsgi: application.kind === "uwsgi",
      completionPath: application.completionPath,
    },
  });
}
