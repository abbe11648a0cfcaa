/** Settings of a site: its props checked as a whole, defaults filled in, frozen. */

import type { Duration } from "../lib/duration.ts";
import { SiteProblems, type Problem } from "../lib/problems.ts";
import type { Size } from "../lib/size.ts";
import type { Checksum, SiteProps } from "./props.ts";
import { crossCheck } from "./settings-cross.ts";
import { readProps } from "./settings-read.ts";

export { SiteProblems } from "../lib/problems.ts";

export type TlsSettings = { readonly kind: "files"; readonly certificate: string; readonly key: string; readonly ca: string | null } | { readonly kind: "selfSigned" };

export type PlaceSettings = { readonly kind: "volume"; readonly name: string } | { readonly kind: "bind"; readonly path: string };

export type ModuleSettings = { readonly kind: "own" } | { readonly kind: "folder"; readonly path: string } | { readonly kind: "archive"; readonly path: string; readonly sha256: string };

export interface ApplicationSettings {
  readonly kind: "http" | "uwsgi";
  readonly address: string;
  readonly network: string | null;
  readonly completionPath: string;
}

/** A site with nothing left open. What each member means stands in {@link SiteProps} and in the settings' table. */
export interface SiteSettings {
  readonly name: string;
  readonly serverNames: readonly string[];
  readonly listen: {
    readonly address: string;
    readonly httpsPort: number;
    readonly httpPort: number | false;
    readonly publicWithoutAuthentication: boolean;
  };
  readonly tls: TlsSettings;
  readonly storage: {
    readonly place: PlaceSettings;
    readonly uid: number;
    readonly gid: number;
    readonly directoryMode: string;
    readonly fileMode: string;
    readonly hashLevels: readonly number[];
  };
  readonly upload: {
    readonly path: string;
    readonly setFields: Readonly<Record<string, string>>;
    readonly aggregateFields: Readonly<Record<string, string>>;
    readonly checksums: readonly Checksum[];
    readonly passFields: readonly string[];
    readonly cleanup: readonly string[];
    readonly maxFileSize: Size;
    readonly maxBodySize: Size;
    readonly minFreeSpace: Size;
    readonly limitRate: Size;
    readonly bufferSize: Size;
    readonly bodyTimeout: Duration;
    readonly completionTimeout: Duration;
    readonly expireAfter: Duration;
    readonly corsOrigins: readonly string[];
  };
  readonly images: { readonly base: string; readonly module: ModuleSettings };
  readonly service: {
    readonly memoryMiB: number;
    readonly database: string;
    readonly logLevel: "debug" | "info" | "warn" | "error";
    readonly abandonedAfter: Duration;
  };
  /** null: Slipway's own service completes the uploads. */
  readonly application: ApplicationSettings | null;
}

/**
 * Checks the props of a site and fills in what they leave open.
 *
 * @throws {SiteProblems} with every problem at once, when there is any; nothing has been made then.
 */
export function checkSite(props: SiteProps): SiteSettings {
  const problems: Problem[] = [];
  const report = (problem: Problem): void => void problems.push(problem);
  const reading = readProps(props, report);
  crossCheck(reading, props?.service !== undefined, report);
  if (problems.length > 0) throw new SiteProblems(problems);
  return deepFreeze(reading.settings);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
