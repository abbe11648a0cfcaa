/** Reads props through the settings' table: unknown keys, values, defaults. */

import type { Problem, Report } from "../lib/problems.ts";
import { suggest } from "../lib/suggest.ts";
import type { ApplicationSettings, ModuleSettings, PlaceSettings, SiteSettings, TlsSettings } from "./settings.ts";
import { OPTIONAL_GROUPS, settingsTable, type Setting, type SettingPath, type SettingValue } from "./settings-table.ts";

/** What reading gives. A setting in {@link failed} has no value in {@link settings}, which then must not leave the check. */
export interface Reading {
  readonly settings: SiteSettings;
  /** Settings that a problem was reported for. */
  readonly failed: ReadonlySet<SettingPath>;
}

const PATHS = Object.keys(settingsTable) as SettingPath[];

/** Keys that a group of props may have: `""` is the site itself. */
function keysOf(group: string): string[] {
  const prefix = group === "" ? "" : `${group}.`;
  const below = PATHS.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length).split(".")[0]!);
  return [...new Set(below)];
}

const isGroup = (path: string): boolean => PATHS.some((known) => known.startsWith(`${path}.`));

/** Raw values by path; reports unknown keys and groups that are no objects. */
function flatten(value: unknown, group: string, raw: Map<string, unknown>, report: Report): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return report({ path: group, what: "not an object", got: value, fix: `use { ${keysOf(group).join(", ")} }` });
  }
  const known = keysOf(group);
  for (const [key, item] of Object.entries(value)) {
    const path = group === "" ? key : `${group}.${key}`;
    if (!known.includes(key)) {
      const near = suggest(key, known);
      report({ path, what: "unknown setting", got: item, fix: near === undefined ? `known here: ${known.join(", ")}` : `did you mean "${near}"?` });
    } else if (item !== undefined) {
      raw.set(path, item);
      if (isGroup(path)) flatten(item, path, raw, report);
    }
  }
}

/** Values of all rows, checked; the reader of {@link SettingValue}s is typed by path. */
class Values {
  readonly failed = new Set<SettingPath>();
  readonly #values = new Map<SettingPath, unknown>();
  readonly #raw: ReadonlyMap<string, unknown>;
  readonly #report: Report;

  constructor(raw: ReadonlyMap<string, unknown>, report: Report) {
    this.#raw = raw;
    this.#report = report;
    for (const path of PATHS) this.#read(path, settingsTable[path]);
  }

  #fail(path: SettingPath, problem: Problem): void {
    this.failed.add(path);
    this.#report(problem);
  }

  #parse(path: SettingPath, row: Setting<unknown>, value: unknown): void {
    this.#values.set(path, row.type.parse(value, path, (problem) => this.#fail(path, problem)));
  }

  #read(path: SettingPath, row: Setting<unknown>): void {
    const group = path.split(".").slice(0, -1).join(".");
    if (OPTIONAL_GROUPS.includes(group) && !this.#raw.has(group)) return;
    if (row.kinds && !this.#belongs(path, `${group}.kind` as SettingPath, row.kinds)) return;
    const value = this.#raw.get(path);
    if (value !== undefined) return this.#parse(path, row, value);
    if (row.default.kind === "value") return this.#parse(path, row, row.default.value);
    if (row.default.kind === "required") this.#fail(path, { path, what: "missing", fix: row.type.fix });
  }

  /** Whether a prop of a union belongs to the kind chosen; reports one that is set and does not. */
  #belongs(path: SettingPath, kindPath: SettingPath, kinds: readonly string[]): boolean {
    if (this.failed.has(kindPath)) return false;
    const kind = this.#values.get(kindPath) as string;
    if (kinds.includes(kind)) return true;
    if (this.#raw.has(path)) {
      const wanted = kinds.map((k) => `"${k}"`).join(" or ");
      this.#fail(path, { path, what: `has no meaning with kind "${kind}"`, got: this.#raw.get(path), fix: `remove it, or set ${kindPath} to ${wanted}` });
    }
    return false;
  }

  get<P extends SettingPath>(path: P): SettingValue<P> {
    return this.#values.get(path) as SettingValue<P>;
  }

  getOr<P extends SettingPath, O>(path: P, otherwise: O): SettingValue<P> | O {
    return this.#values.has(path) ? this.get(path) : otherwise;
  }
}

function tlsOf(v: Values): TlsSettings {
  if (v.get("tls.kind") === "selfSigned") return { kind: "selfSigned" };
  return { kind: "files", certificate: v.get("tls.certificate"), key: v.get("tls.key"), ca: v.getOr("tls.ca", null) };
}

function placeOf(v: Values): PlaceSettings {
  if (v.get("storage.place.kind") === "bind") return { kind: "bind", path: v.get("storage.place.path") };
  return { kind: "volume", name: v.getOr("storage.place.name", `${v.get("name")}-data`) };
}

function moduleOf(v: Values): ModuleSettings {
  const kind = v.get("images.module.kind");
  if (kind === "own") return { kind };
  const path = v.get("images.module.path");
  return kind === "folder" ? { kind, path } : { kind: "archive", path, sha256: v.get("images.module.sha256") };
}

function applicationOf(v: Values): ApplicationSettings {
  return {
    kind: v.get("application.kind"),
    address: v.get("application.address"),
    network: v.getOr("application.network", null),
    completionPath: v.getOr("application.completionPath", v.get("upload.path")),
  };
}

function uploadOf(v: Values): SiteSettings["upload"] {
  return {
    path: v.get("upload.path"),
    setFields: v.get("upload.setFields"),
    aggregateFields: v.get("upload.aggregateFields"),
    checksums: v.get("upload.checksums"),
    passFields: v.get("upload.passFields"),
    cleanup: v.get("upload.cleanup"),
    maxFileSize: v.get("upload.maxFileSize"),
    maxBodySize: v.get("upload.maxBodySize"),
    minFreeSpace: v.get("upload.minFreeSpace"),
    limitRate: v.get("upload.limitRate"),
    bufferSize: v.get("upload.bufferSize"),
    bodyTimeout: v.get("upload.bodyTimeout"),
    completionTimeout: v.get("upload.completionTimeout"),
    expireAfter: v.get("upload.expireAfter"),
    corsOrigins: v.get("upload.corsOrigins"),
  };
}

/** Reads every setting, reporting what is wrong with each; see {@link Reading} for what failed. */
export function readProps(props: unknown, report: Report): Reading {
  const raw = new Map<string, unknown>();
  flatten(props, "", raw, report);
  const v = new Values(raw, report);
  const settings: SiteSettings = {
    name: v.get("name"),
    serverNames: v.get("serverNames"),
    listen: {
      address: v.get("listen.address"),
      httpsPort: v.get("listen.httpsPort"),
      httpPort: v.get("listen.httpPort"),
      publicWithoutAuthentication: v.get("listen.publicWithoutAuthentication"),
    },
    tls: tlsOf(v),
    storage: {
      place: placeOf(v),
      uid: v.get("storage.uid"),
      gid: v.get("storage.gid"),
      directoryMode: v.get("storage.directoryMode"),
      fileMode: v.get("storage.fileMode"),
      hashLevels: v.get("storage.hashLevels"),
    },
    upload: uploadOf(v),
    images: { base: v.get("images.base"), module: moduleOf(v) },
    service: {
      memoryMiB: v.get("service.memoryMiB"),
      database: v.get("service.database"),
      logLevel: v.get("service.logLevel"),
      abandonedAfter: v.get("service.abandonedAfter"),
    },
    application: raw.has("application") ? applicationOf(v) : null,
  };
  return { settings, failed: v.failed };
}
