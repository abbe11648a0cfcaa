/** The reference of all settings, and the short table of the README, out of the settings' table. */

import { settingsTable, type Setting } from "./settings-table.ts";

interface Group {
  readonly name: string;
  readonly title: string;
  readonly intro: string;
}

const GROUPS: readonly Group[] = [
  { name: "", title: "The site", intro: "" },
  { name: "listen", title: "listen: where the site listens", intro: "" },
  { name: "tls", title: "tls: the certificate", intro: "`Tls.selfSigned()` or `Tls.files({ certificate, key, ca })`." },
  { name: "storage", title: "storage: where uploads are kept, and whose they are", intro: "`place` is `Storage.volume(name)` or `Storage.bind(path)`." },
  { name: "upload", title: "upload: what happens to an upload", intro: "" },
  { name: "images", title: "images: what the containers are made of", intro: "`module` is `UploadModule.own()`, `UploadModule.folder(path)` or `UploadModule.archive(path, sha256)`." },
  { name: "service", title: "service: the part that files uploads", intro: "" },
  { name: "application", title: "application: one of your own behind the upload", intro: "`Application.http(address, { network, completionPath })` or `Application.uwsgi(...)`, in place of Slipway's service. Without it, none of these." },
];

const rows = Object.entries(settingsTable) as [string, Setting<unknown>][];
const inGroup = (group: string): [string, Setting<unknown>][] => rows.filter(([path]) => (path.includes(".") ? path.split(".")[0] === group : group === ""));

/** Text of a table's cell: a pipe would end it. */
const cell = (text: string): string => text.replaceAll("|", "\\|");

/** Code in a cell; a list or a record is shown item by item, so that the cell can break. */
function code(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "`[]`" : `[${value.map(code).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([name, item]) => `${code(name)}: ${code(item)}`);
    return entries.length === 0 ? "`{}`" : entries.join(", ");
  }
  return `\`${JSON.stringify(value)}\``;
}

function defaultOf({ default: otherwise }: Setting<unknown>): string {
  if (otherwise.kind === "value") return code(otherwise.value);
  if (otherwise.kind === "required") return "required";
  return otherwise.kind === "derived" ? otherwise.text : `none: ${otherwise.text}`;
}

function fullRow([path, row]: [string, Setting<unknown>]): string {
  const unit = row.unit === undefined ? "" : ` (${row.unit})`;
  const kinds = row.kinds === undefined ? "" : ` Only with kind ${row.kinds.map((kind) => `\`"${kind}"\``).join(" or ")}.`;
  const allowed = row.type.fix.replace(/^use /, "");
  return `| \`${path}\` | ${cell(defaultOf(row))} | ${cell(row.does)}${kinds} | ${cell(allowed)}${unit} | ${row.reaches} |`;
}

function section({ name, title, intro }: Group): string {
  const head = ["| setting | default | what it does | allowed | reaches |", "|---|---|---|---|---|"];
  return [`## ${title}`, ...(intro === "" ? [] : [intro]), [...head, ...inGroup(name).map(fullRow)].join("\n")].join("\n\n");
}

/** The page docs/reference/settings.md. */
export function renderReference(): string {
  const intro = `# Settings of a site

Everything that \`stacks/site.ts\` can say. All of it may be left out but what is marked as required. Sizes are nginx's:
integers with k, m or g (powers of 1024). Durations are nginx's: integers with ms, s, m, h, d or w.
A wrong value, an unknown name or settings that do not fit together stop every command before anything is made; all
problems are told at once.

This page is made from \`stacks/settings-table.ts\` by \`npm run reference\`.`;
  return `${[intro, ...GROUPS.map(section)].join("\n\n")}\n`;
}

/** The short table of the README: setting, default, purpose. */
export function renderSummary(): string {
  const lines = rows.map(([path, row]) => `| \`${path}\` | ${cell(defaultOf(row))} | ${cell(row.does)} |`);
  return ["| setting | default | what it does |", "|---|---|---|", ...lines].join("\n");
}

const BEGIN = "<!-- settings: made by npm run reference -->";
const END = "<!-- settings end -->";

/** The README with its table made anew between the two marks; a text without them stays as it is. */
export function withSummary(readme: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) return readme;
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${renderSummary()}\n\n${readme.slice(end)}`;
}
