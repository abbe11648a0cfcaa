/** What must hold between settings that are each right on their own. */

import type { Report } from "../lib/problems.ts";
import { OWN_SERVICE_PATHS } from "./service-paths.ts";
import type { Reading } from "./settings-read.ts";
import type { SiteSettings } from "./settings.ts";
import type { SettingPath } from "./settings-table.ts";

/** Fields that Slipway's service must get for each file, beside size and checksums. */
export const CLASSIC_FIELDS: Readonly<Record<string, string>> = {
  "$upload_field_name.name": "$upload_file_name",
  "$upload_field_name.content_type": "$upload_content_type",
  "$upload_field_name.path": "$upload_tmp_path",
};

/** Most directories that are made below `incoming/`: every upload's start must find them, and so must every restart. */
const MOST_DIRECTORIES = 100_000;

// A bind is mounted at the same path, and would hide what the containers need there.
const SYSTEM_ROOTS = ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr"];
const SYSTEM_FOLDERS = ["/home", "/opt", "/root", "/tmp", "/var", "/var/cache", "/var/lib", "/var/log", "/var/run"];

interface Rule {
  /** Settings that the rule looks at; it is left out when one of them is already wrong. */
  readonly needs: readonly SettingPath[];
  check(settings: SiteSettings, report: Report): void;
}

export const isLoopback = (address: string): boolean => /^127\./.test(address) || /^(?:0*:)*:?0*1$/.test(address);

const rules: readonly Rule[] = [
  {
    needs: ["listen.address", "listen.publicWithoutAuthentication"],
    check({ listen }, report) {
      if (isLoopback(listen.address) || listen.publicWithoutAuthentication) return;
      const fix = 'use a loopback address ("127.0.0.1"), or say listen.publicWithoutAuthentication: true if anybody who reaches it may upload, list and download';
      report({ path: "listen.address", what: "not a loopback address, and the site asks nobody who they are", got: listen.address, fix });
    },
  },
  {
    needs: ["listen.httpsPort", "listen.httpPort"],
    check({ listen }, report) {
      if (listen.httpPort !== listen.httpsPort) return;
      report({ path: "listen.httpPort", what: "the same port as listen.httpsPort", got: listen.httpPort, fix: "use another port, or false for no redirect from HTTP" });
    },
  },
  {
    needs: ["storage.hashLevels"],
    check({ storage }, report) {
      const directories = 10 ** storage.hashLevels.reduce((sum, digits) => sum + digits, 0);
      if (directories <= MOST_DIRECTORIES) return;
      report({ path: "storage.hashLevels", what: `would make ${directories} directories`, got: storage.hashLevels, fix: "use at most 5 digits in all ([1], [2, 1])" });
    },
  },
  {
    needs: ["storage.place.path"],
    check({ storage: { place } }, report) {
      if (place.kind !== "bind") return;
      const inside = SYSTEM_ROOTS.some((root) => place.path === root || place.path.startsWith(`${root}/`));
      if (!inside && !SYSTEM_FOLDERS.includes(place.path)) return;
      report({ path: "storage.place.path", what: "a folder of the system, which the mount would hide inside the containers", got: place.path, fix: 'use a folder of its own ("/srv/uploads")' });
    },
  },
  {
    needs: ["upload.maxFileSize", "upload.maxBodySize"],
    check({ upload }, report) {
      if (upload.maxBodySize.bytes === 0 || upload.maxBodySize.bytes > upload.maxFileSize.bytes) return;
      report({ path: "upload.maxBodySize", what: `not larger than upload.maxFileSize ("${upload.maxFileSize.text}")`, got: upload.maxBodySize.text, fix: 'leave room for the form around the file, or use "0" for no limit' });
    },
  },
  { needs: ["upload.setFields", "upload.aggregateFields", "upload.checksums"], check: eachFieldOnce },
  { needs: ["upload.setFields", "upload.checksums"], check: ownServiceFacts },
  { needs: ["upload.path"], check: ownServicePaths },
];

/** Names of the fields that are set when a file has ended: what the site adds, the size and the checksums. */
export function endFields(upload: SiteSettings["upload"]): readonly (readonly [name: string, value: string])[] {
  return [
    ["$upload_field_name.size", "$upload_file_size"],
    ...upload.checksums.map((sum) => [`$upload_field_name.${sum}`, `$upload_file_${sum}`] as const),
    ...Object.entries(upload.aggregateFields),
  ];
}

function eachFieldOnce({ upload }: SiteSettings, report: Report): void {
  const given = new Set(Object.keys(upload.setFields));
  const automatic = new Set(endFields({ ...upload, aggregateFields: {} }).map(([name]) => name));
  for (const name of automatic) {
    if (given.has(name)) report({ path: `upload.setFields["${name}"]`, what: "set twice: size and checksums are always passed on", fix: "remove it" });
  }
  for (const name of Object.keys(upload.aggregateFields)) {
    const path = `upload.aggregateFields["${name}"]`;
    if (automatic.has(name)) report({ path, what: "set twice: size and checksums are always passed on", fix: "remove it" });
    else if (given.has(name)) report({ path, what: "set twice: upload.setFields has the same name", fix: "remove one" });
  }
}

function ownServiceFacts({ upload, application }: SiteSettings, report: Report): void {
  if (application) return;
  for (const [name, value] of Object.entries(CLASSIC_FIELDS)) {
    if (upload.setFields[name] === value) continue;
    const given = name in upload.setFields ? { got: upload.setFields[name] } : {};
    const fix = `add "${name}": "${value}", or give the site an application of its own`;
    report({ path: `upload.setFields["${name}"]`, what: "not what Slipway's service needs to file an upload", ...given, fix });
  }
  if (upload.checksums.length === 0) {
    report({ path: "upload.checksums", what: "Slipway's service records at least one checksum", got: [], fix: 'use ["sha256"]' });
  }
}

function ownServicePaths({ upload, application }: SiteSettings, report: Report): void {
  const path = upload.path.replace(/\/$/, "");
  const taken = OWN_SERVICE_PATHS.find((own) => path === own || path.startsWith(`${own}/`));
  if (taken === undefined || (application && taken !== "/_slipway")) return;
  report({ path: "upload.path", what: `taken: ${taken} is a path of Slipway's own`, got: upload.path, fix: 'use another ("/upload")' });
}

/** Reports what does not fit together among the settings that are right on their own. */
export function crossCheck({ settings, failed }: Reading, givenService: boolean, report: Report): void {
  for (const rule of rules) {
    if (!rule.needs.some((path) => failed.has(path))) rule.check(settings, report);
  }
  if (givenService && settings.application) {
    report({ path: "service", what: "without effect, since the application takes the completions", fix: "remove service, or remove application" });
  }
}
