/**
 * Value types: the allow-list of what a prop may be. Text that reaches nginx.conf or Terraform JSON
 * passes through one of these first, and none of them lets a quote, a brace, a semicolon, a
 * space, a line break, `${` or `%{` through: there is no escaping that would make such a value safe
 * in nginx.conf, so there is nothing to escape.
 */

import { isIP } from "node:net";
import { parseDuration, type Duration } from "./duration.ts";
import type { Problem, Report } from "./problems.ts";
import { parseSize, type Size } from "./size.ts";

/** What a value may be, and what it becomes. */
export interface ValueType<T> {
  /** Name for people, "nginx size"; used in errors ("not an nginx size") and in the reference. */
  readonly name: string;
  /** What is allowed, as the end of an error's sentence. */
  readonly fix: string;
  /** The value as settings hold it, or undefined after reporting every problem with it. */
  parse(value: unknown, path: string, report: Report): T | undefined;
}

/** A value type out of a function that gives undefined for what is not allowed. */
function valueType<T>(name: string, fix: string, accept: (value: unknown) => T | undefined): ValueType<T> {
  return {
    name,
    fix,
    parse(value, path, report) {
      const parsed = accept(value);
      if (parsed === undefined) report({ path, what: `not ${withArticle(name)}`, got: value, fix });
      return parsed;
    },
  };
}

function withArticle(name: string): string {
  if (/^(?:one of|true or|")/.test(name)) return name;
  return `${/^(?:[aeio]|nginx|IP)/.test(name) ? "an" : "a"} ${name}`;
}

/** Text that a regular expression describes whole. */
function text(name: string, fix: string, pattern: RegExp, more: (value: string) => boolean = () => true): ValueType<string> {
  return valueType(name, fix, (value) => (typeof value === "string" && pattern.test(value) && more(value) ? value : undefined));
}

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const HOST = `${LABEL}(?:\\.${LABEL})*`;
const HOST_NAME = new RegExp(`^${HOST}$`);

/** RFC 1123 host name, in lower case so that no name is there twice, or IPv4 address. */
export const hostName = text("host name", 'use lower-case letters, digits, hyphens and dots ("upload.example.org") or an IPv4 address', HOST_NAME, (v) => v.length <= 253);

/** IPv4 or IPv6 address without a zone. */
export const address = text("IP address", 'use an IPv4 or IPv6 address ("127.0.0.1", "::1")', /^[0-9A-Fa-f:.]{2,45}$/, (v) => isIP(v) !== 0);

/** `host:port`; the host is a host name, a container's name, an IPv4 address or an IPv6 address in brackets. */
export const hostAndPort = text("host and port", 'use "host:port" ("web:8000", "192.0.2.7:8000", "[2001:db8::7]:8000")', /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\]):[1-9][0-9]{0,4}$/, (v) => {
  const colon = v.lastIndexOf(":");
  const host = v.slice(0, colon);
  return Number(v.slice(colon + 1)) <= 65_535 && !host.includes("..") && (!host.startsWith("[") || isIP(host.slice(1, -1)) === 6);
});

/** Origin of web pages (RFC 6454), as a browser spells it, or `*` for every one. */
export const origin = text("web origin", 'use "https://example.org", with a port when it is not 443, or "*" for every site', new RegExp(`^(?:\\*|https?://(?:${HOST}|\\[[0-9a-f:.]+\\])(?::[1-9][0-9]{0,4})?)$`), (v) => v.length <= 253);

const SEGMENT = "[A-Za-z0-9_@~+.-]+";
const noDots = (path: string): boolean => path.split("/").every((segment) => segment !== "." && segment !== "..");

/** Absolute path of a file or folder: no `.` or `..` segment, no trailing slash. */
export const absolutePath = text("absolute path", 'use a path such as "/srv/uploads" of letters, digits and _ - . + @ ~, without ".." and without a slash at the end', new RegExp(`^(?:/${SEGMENT})+$`), (v) => v.length <= 1024 && noDots(v));

/** Path of a URL as nginx matches it: no escapes, no query. */
export const urlPath = text("path of a URL", 'use a path such as "/upload" of letters, digits and _ - . ~, without ".."', /^(?:\/[A-Za-z0-9_.~-]+)+\/?$/, (v) => v.length <= 256 && noDots(v));

/** Name that Docker gives to a network or a volume. */
export const dockerName = text("Docker name", "use a letter or digit, then letters, digits and _ - .", /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/);

/** Name of a site: prefix of container, image and folder names, so the strictest of their rules. */
export const siteName = text("site name", "use at most 40 lower-case letters, digits and hyphens, starting with a letter and not ending in a hyphen", /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/);

const IMAGE_PATH = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const IMAGE = new RegExp(`^(?:${HOST}(?::[1-9][0-9]{0,4})?/)?${IMAGE_PATH}(?:/${IMAGE_PATH})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`);

/** Reference of an image: registry, name, tag, digest. */
export const imageReference = text("image reference", 'use a name with an optional registry, tag and digest ("debian:trixie-slim")', IMAGE, (v) => v.length <= 255);

export const sha256 = text("SHA-256", "use the 64 lower-case hex digits that sha256sum prints", /^[0-9a-f]{64}$/);

/** Mode of a directory: the owner may do everything, no set-user-id. */
export const directoryMode = text("directory mode", 'use four octal digits as text: 0 to 3, 7 for the owner, then 0, 1, 5 or 7 twice ("2770", "2750", "0755")', /^[0-3]7[0157]{2}$/);

/** Mode of a file: what `upload_store_access` can say. */
export const fileMode = text("file mode", 'use four octal digits as text: 06 for the owner, then 0, 4 or 6 twice ("0660", "0640", "0644")', /^06[046]{2}$/);

/** Status code, or an ascending range of them, 200 to 599. */
export const statusRange = text("status or range of statuses", 'use a status from 200 to 599 ("404") or an ascending range ("400-599")', /^[2-5][0-9]{2}(?:-[2-5][0-9]{2})?$/, (v) => {
  const [from, to] = v.split("-").map(Number);
  return to === undefined || from! < to;
});

export const boolean: ValueType<boolean> = valueType("true or false", "use true or false, without quotes", (v) => (typeof v === "boolean" ? v : undefined));

/** Whole number within limits, both allowed; the remark ends the sentence of the fix. */
export function integer(name: string, min: number, max: number, remark?: string): ValueType<number> {
  return valueType(name, `use a whole number from ${min} to ${max}${remark === undefined ? "" : `, ${remark}`}`, (v) => (typeof v === "number" && Number.isInteger(v) && v >= min && v <= max ? v : undefined));
}

export const port = integer("port", 1, 65_535);

/** Port, or false for none. */
export const portOrNone: ValueType<number | false> = valueType("port or false", "use a whole number from 1 to 65535, or false for none", (v) => (v === false ? false : port.parse(v, "", () => {})));

/** One of a few words. */
export function oneOf<const W extends string>(...words: readonly W[]): ValueType<W> {
  const list = words.map((word) => `"${word}"`).join(", ");
  return valueType(words.length === 1 ? list : `one of ${list}`, `use ${words.length === 1 ? list : `one of ${list}`}`, (v) => words.find((word) => word === v));
}

/** Size within limits in bytes, both allowed; with `zero`, "0" as well, for "no limit". */
export function size(limits: { readonly min?: string; readonly max?: string; readonly zero?: boolean } = {}): ValueType<Size> {
  const bytes = (t: string | undefined, otherwise: number): number => (t === undefined ? otherwise : parseSize(t)!.bytes);
  const min = bytes(limits.min, 1);
  const max = bytes(limits.max, Number.MAX_SAFE_INTEGER);
  const range = [limits.min && `at least "${limits.min}"`, limits.max && `at most "${limits.max}"`, limits.zero && '"0" for no limit'].filter(Boolean);
  const fix = ['use an integer with k, m or g ("1536m")', ...range].join(", ");
  return valueType("nginx size", fix, (v) => {
    const parsed = typeof v === "string" ? parseSize(v) : undefined;
    if (!parsed) return undefined;
    if (parsed.bytes === 0) return limits.zero ? parsed : undefined;
    return parsed.bytes >= min && parsed.bytes <= max ? parsed : undefined;
  });
}

/** Duration within limits, both allowed. */
export function duration(min: string, max: string): ValueType<Duration> {
  const [least, most] = [parseDuration(min)!, parseDuration(max)!];
  return valueType("nginx duration", `use integers with ms, s, m, h, d or w ("1m30s"), from "${min}" to "${max}"`, (v) => {
    const parsed = typeof v === "string" ? parseDuration(v) : undefined;
    return parsed && parsed.milliseconds >= least.milliseconds && parsed.milliseconds <= most.milliseconds ? parsed : undefined;
  });
}

/** Several values of one type, each at most once unless `repeats`. */
export function list<T>(of: ValueType<T>, limits: { readonly min: number; readonly max: number; readonly repeats?: boolean }): ValueType<readonly T[]> {
  const fix = `use a list of ${limits.min} to ${limits.max} values`;
  return {
    name: `list of ${limits.min} to ${limits.max}: ${of.name}`,
    fix: `${fix}, each ${of.fix.replace(/^use /, "")}`,
    parse(value, path, report) {
      if (!Array.isArray(value)) return void report({ path, what: "not a list", got: value, fix });
      if (value.length < limits.min || value.length > limits.max) {
        return void report({ path, what: value.length < limits.min ? "too few values" : "too many values", got: value.length, fix });
      }
      const items = Array.from(value as unknown[], (item, i) => of.parse(item, `${path}[${i}]`, report));
      if (items.some((item) => item === undefined)) return undefined;
      const twice = limits.repeats ? -1 : value.findIndex((item, i) => value.indexOf(item) !== i);
      if (twice >= 0) return void report({ path: `${path}[${twice}]`, what: "named twice", got: value[twice], fix: "remove one" });
      return items as T[];
    },
  };
}

/** Names and values, both of text types. */
export function record(names: ValueType<string>, values: ValueType<string>, max: number): ValueType<Readonly<Record<string, string>>> {
  return {
    name: `at most ${max} of ${names.name} -> ${values.name}`,
    fix: `use at most ${max} { "name": "value" }, values of ${values.fix.replace(/^use /, "")}`,
    parse(value, path, report) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        return void report({ path, what: "not an object of names and values", got: value, fix: 'use { "name": "value" }' });
      }
      const entries = Object.entries(value);
      if (entries.length > max) return void report({ path, what: "too many entries", got: entries.length, fix: `use at most ${max}` });
      let problems = 0;
      const count = (problem: Problem): void => (problems++, report(problem));
      for (const [name, item] of entries) {
        names.parse(name, path, count);
        values.parse(item, `${path}[${JSON.stringify(name.slice(0, 60))}]`, count);
      }
      return problems === 0 ? (Object.fromEntries(entries) as Record<string, string>) : undefined;
    },
  };
}
