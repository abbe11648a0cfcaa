import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** Contexts of nginx's own reference, by the flags of a directive's table entry. */
const contexts: Readonly<Record<string, string>> = {
  NGX_HTTP_MAIN_CONF: "http",
  NGX_HTTP_SRV_CONF: "server",
  NGX_HTTP_LOC_CONF: "location",
  NGX_HTTP_LIF_CONF: "if in location",
  NGX_HTTP_LMT_CONF: "limit_except",
};

const tables = ["ngx_http_upload_module.c", "ngx_http_upload_progress_module.c"].map((name) => readFileSync(`module/src/${name}`, "utf8")).join("\n");
const anywhere = /#define NGX_HTTP_UPLOAD_ANY_CONF([^#]*?)\n\n/.exec(tables)![1]!;

/** Directives of the module's tables, and where each may stand. */
const directives = [...tables.matchAll(/\{ ngx_string\("(upload_\w+)"\),\s*([A-Z0-9_|\s]+),/g)].map(([, name = "", flags = ""]) => {
  const words: readonly string[] = flags.replace("NGX_HTTP_UPLOAD_ANY_CONF", anywhere).match(/\w+/g) ?? [];
  return [name, Object.keys(contexts).filter((flag) => words.includes(flag)).map((flag) => contexts[flag]).join(", ")] as const;
});

/** The spelling that existing configurations have is told of beside the other. */
const own = directives.filter(([name]) => name !== "upload_empty_fiels_names");

const reference = readFileSync("docs/reference/module.md", "utf8");
const sections = reference.split(/^##+ /m).flatMap((section) => {
  const heading = section.slice(0, section.indexOf("\n"));
  return /^upload_\w+(, upload_\w+)*$/.test(heading) ? heading.split(", ").map((name) => [name, section] as const) : [];
});

describe("module: the reference of its directives", () => {
  it("has a section for each of them, and for no other", () => {
    expect(own.length).toBeGreaterThan(30);
    expect(sections.map(([name]) => name).sort()).toEqual(own.map(([name]) => name).sort());
    expect(reference).toContain("`upload_empty_fiels_names`");
  });

  it.each(own)("says of %s syntax, default and context: %s", (name, context) => {
    const section = sections.find(([heading]) => heading === name)![1];
    const [head = ""] = /^ {4}Syntax: (?:.*\n)+?\n/m.exec(section) ?? [];
    expect(head).toMatch(new RegExp(String.raw`^ {4}(Syntax: | {7}) +${name} .+;$`, "m"));
    expect(head).toMatch(new RegExp(String.raw`^ {4}Default:  (none\b.*|(.*\n {14})*${name} .+;.*)$`, "m"));
    expect(/^ {4}Context: +(.+)$/m.exec(head)?.[1]).toBe(context);
  });
});
