import Handlebars from "handlebars";
import { describe, expect, it } from "vitest";
import { compileTemplates, readTemplates } from "../../stacks/nginx/templates.ts";
import { nginxView } from "../../stacks/nginx/view.ts";
import { dockerPlacement } from "../../stacks/placement.ts";
import { checkSite } from "../../stacks/settings.ts";

const templates = readTemplates();

interface Node {
  readonly type: string;
  readonly path?: { readonly original: string; readonly parts: readonly string[]; readonly head?: string };
  readonly name?: { readonly original: string };
  readonly params?: readonly Node[];
  readonly original?: string;
  readonly program?: Node;
  readonly inverse?: Node;
  readonly body?: readonly Node[];
}

function nodes(node: Node | undefined): Node[] {
  if (node === undefined) return [];
  return [node, ...[...(node.body ?? []), ...(node.params ?? [])].flatMap(nodes), ...nodes(node.program), ...nodes(node.inverse)];
}

const all = [...templates].map(([name, text]) => [name, text, nodes(Handlebars.parse(text) as unknown as Node)] as const);

describe.each(all)("templates/nginx/%s.conf.hbs", (name, text, found) => {
  it("decides with if and each only", () => {
    const blocks = found.filter(({ type }) => type === "BlockStatement").map(({ path }) => path!.original);
    expect(blocks.filter((block) => block !== "if" && block !== "each")).toEqual([]);
    expect(found.filter(({ type }) => type === "SubExpression" || type === "Decorator" || type === "DecoratorBlock")).toEqual([]);
    expect(text).not.toContain("{{{");
  });

  it("names only partials that there are", () => {
    const partials = found.filter(({ type }) => type === "PartialStatement").map((node) => node.name!.original);
    expect(partials.filter((partial) => !templates.has(partial))).toEqual([]);
  });

  it("names only what the view has, also in its conditions, where Handlebars would not say", () => {
    // No site has both an application and sessions; a template may name either.
    const own = checkSite({});
    const foreign = checkSite({ application: { kind: "http", address: "web:80" } });
    const { application } = nginxView(foreign, dockerPlacement(foreign));
    const view = { ...nginxView(own, dockerPlacement(own)), application } as unknown as Record<string, unknown>;
    const roots = found.filter(({ type }) => type === "PathExpression").map(({ original }) => original!.split("."));
    const ofItems = ["if", "each", "this", "name", "value", "status", "answer"];
    const missing = roots.filter(([first, second]) => !ofItems.includes(first!) && !(first! in view && (second === undefined || second in (view[first!] as object))));
    expect(missing).toEqual([]);
  });

  it("is part of nginx.conf", () => {
    const used = new Set(all.flatMap(([, , list]) => list.filter(({ type }) => type === "PartialStatement").map((node) => node.name!.original)));
    expect(name === "nginx" || used.has(name)).toBe(true);
  });
});

it("refuses a view that lacks a value", () => {
  const settings = checkSite({});
  const { pidPath: _, ...lacking } = nginxView(settings, dockerPlacement(settings));
  expect(() => compileTemplates(templates)(lacking)).toThrow(/pidPath/);
});
