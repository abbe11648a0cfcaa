import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderNginx } from "../../stacks/nginx/render.ts";
import { dockerPlacement } from "../../stacks/placement.ts";
import type { SiteProps } from "../../stacks/props.ts";
import { checkSite, SiteProblems, type SiteSettings } from "../../stacks/settings.ts";
import { settingsTable } from "../../stacks/settings-table.ts";
import { anyText, hostileText, stringPlaces, type StringPlace } from "../helpers/arbitraries.ts";
import { parseNginx, type Directive } from "../helpers/nginx-parse.ts";

const RUNS = 300;

function accepted(props: SiteProps): SiteSettings | undefined {
  try {
    return checkSite(props);
  } catch (error) {
    if (error instanceof SiteProblems) return undefined;
    throw error;
  }
}

/** Paths and certificate come from the placement; here they come from the props, as setup would place them. */
function tree(settings: SiteSettings): readonly Directive[] {
  const placement = dockerPlacement(settings);
  const tls = settings.tls.kind === "files" ? { certificate: settings.tls.certificate, key: settings.tls.key } : {};
  return parseNginx(renderNginx(settings, { ...placement, ...tls }));
}

const replaced = (nodes: readonly Directive[], from: string, to: string): Directive[] =>
  nodes.map(({ name, args, block }) => {
    const values = args.map((arg) => arg.replaceAll(from, () => to));
    // A name that the site answers to anyway is not named twice.
    return { name, args: name === "server_name" ? [...new Set(values)] : values, block: block && replaced(block, from, to) };
  });

/** What a text looks like in nginx.conf, where that is not just the text. */
function asWritten(at: StringPlace, text: string): string {
  if (at.path === "upload.limitRate" && /g$/i.test(text)) return `${Number(text.slice(0, -1)) * 1024}m`;
  if (at.path !== "listen.address") return text;
  if (/^[0:.]+$/.test(text)) return "localhost"; // all addresses: no name of their own
  return text.includes(":") ? `[${text}]` : text;
}

// Shown in other words: checked by rows in the test of the view.
const TRANSLATED = new Set(["storage.fileMode", "upload.bufferSize", "upload.checksums", "upload.expireAfter"]);

function sameShape(at: StringPlace, text: string, settings: SiteSettings): void {
  // An address needs no resolver, so the sentinel is one where the text is.
  const isAddress = at.path === "application.address" && /^(\[|[0-9.]+:|host\.docker\.internal:)/.test(text);
  const sentinel = isAddress ? "192.0.2.99:8000" : at.sentinel;
  const written = replaced(tree(checkSite(at.site(sentinel))), sentinel, asWritten(at, text));
  // The prefix below the upload's path ends in one slash, also when the path does.
  const expected = at.path === "upload.path" && text.endsWith("/") ? replaced(written, `${text}/`, text) : written;
  const actual = tree(settings);
  if (!TRANSLATED.has(at.path)) expect(actual).toEqual(expected);
}

describe("no text of a prop can break out of its place in nginx.conf", () => {
  it.each(stringPlaces.map((at) => [at.title, at] as const))("%s", (_, at) => {
    fc.assert(
      fc.property(anyText(at), (text) => {
        const settings = accepted(at.site(text));
        if (settings === undefined) return;
        sameShape(at, text, settings);
      }),
      { numRuns: RUNS },
    );
  });

  it.each(stringPlaces.map((at) => [at.title, at] as const))("%s: good values are accepted", (_, at) => {
    fc.assert(fc.property(at.good, (text) => accepted(at.site(text)) !== undefined || text === "" || rejectedByRule(at, text)), { numRuns: 100 });
  });
});

/** Good as text, and refused for what it means. */
function rejectedByRule(at: StringPlace, text: string): boolean {
  try {
    checkSite(at.site(text));
    return false;
  } catch (error) {
    return /set twice|folder of the system/.test(String(error)) && ["upload.setFields", "upload.aggregateFields", "storage.place.path"].includes(at.path);
  }
}

describe("what never passes, whatever the prop", () => {
  const forbidden = /["'`;{}#\s\0\\]|\$\{|%\{|[^\x20-\x7e]/;

  it.each(stringPlaces.map((at) => [at.title, at] as const))("%s", (_, at) => {
    fc.assert(
      fc.property(hostileText(at), (text) => {
        // A regular expression may have backslashes, never before a quote, a backslash or a letter that nginx changes.
        const seen = at.path === "upload.passFields" ? text.replace(/\\[^"'\\trn${]/g, "") : text;
        fc.pre(forbidden.test(seen));
        expect(accepted(at.site(text))).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });

  it("covers every setting that takes text", () => {
    const covered = new Set<string>(stringPlaces.map((at) => at.path));
    const others = Object.keys(settingsTable).filter((path) => !covered.has(path));
    expect(others).toEqual(["listen.httpsPort", "listen.httpPort", "listen.publicWithoutAuthentication", "storage.uid", "storage.gid", "storage.hashLevels", "service.memoryMiB"]);
  });
});
