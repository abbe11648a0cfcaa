/** nginx.conf of a site at a place. */

import type { Placement } from "../placement.ts";
import type { SiteSettings } from "../settings.ts";
import { checkPlacement } from "./placement-check.ts";
import { compileTemplates, readTemplates } from "./templates.ts";
import { nginxView } from "./view.ts";

let template: ((view: object) => string) | undefined;

/**
 * The whole text of nginx.conf; the same settings and placement give the same text.
 *
 * @throws {Error} when a path or address of the placement cannot stand in nginx.conf.
 */
export function renderNginx(settings: SiteSettings, placement: Placement): string {
  checkPlacement(placement);
  template ??= compileTemplates(readTemplates());
  // Handlebars indents the empty lines of partials as well.
  return template(nginxView(settings, placement)).replace(/^ +$/gm, "");
}
