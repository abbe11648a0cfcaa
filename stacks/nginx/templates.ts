/** The Handlebars templates of nginx.conf: a folder of partials by concern, with `if` and `each` and nothing else. */

import { readdirSync, readFileSync } from "node:fs";
import Handlebars from "handlebars";

/** Folder of the templates. */
export const TEMPLATES = new URL("../../templates/nginx/", import.meta.url);

const SUFFIX = ".conf.hbs";

/** Text of every template by its name, `nginx` for nginx.conf.hbs. */
export function readTemplates(): ReadonlyMap<string, string> {
  const files = readdirSync(TEMPLATES).filter((file) => file.endsWith(SUFFIX)).sort();
  return new Map(files.map((file) => [file.slice(0, -SUFFIX.length), readFileSync(new URL(file, TEMPLATES), "utf8")]));
}

/**
 * The template of nginx.conf, with its partials.
 *
 * Nothing is escaped: HTML's escapes would change values, and nginx has none that make a value safe. What goes in has
 * passed the settings' value types.
 */
export function compileTemplates(templates: ReadonlyMap<string, string>): (view: object) => string {
  const handlebars = Handlebars.create();
  for (const [name, text] of templates) handlebars.registerPartial(name, text);
  const options = { noEscape: true, strict: true, knownHelpers: { if: true, each: true }, knownHelpersOnly: true } as const;
  return handlebars.compile(templates.get("nginx")!, options);
}
