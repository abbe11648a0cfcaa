/** nginx's own error answers: for each status a JSON file and a page, made from the table that the service uses. */

import { errorBody, type ErrorCode, errorKinds } from "../../protocol/errors.ts";
import { nginxErrors, progressError } from "../../protocol/nginx-errors.ts";
import { renderError, STANDALONE_CSP } from "../../web/pages.ts";

/** One status that nginx answers with a file of its own. */
export interface ErrorStatus {
  /** nginx's number for it; those from 494 to 497 never leave nginx. */
  readonly status: number;
  /** What the client gets instead, as `error_page` says it (" =400"); empty where it is the same. */
  readonly answer: string;
}

/** The statuses, ascending. */
export const errorStatuses: readonly ErrorStatus[] = Object.freeze(
  [...nginxErrors].map(([status, code]) => Object.freeze({ status, answer: errorKinds[code].status === status ? "" : ` =${errorKinds[code].status}` })),
);

/** Content-Security-Policy of the pages. */
export const ERROR_POLICY: string = STANDALONE_CSP;

/** Names and bodies of the files in `Placement.errorPages`: `404.json`, `404.html` and so on, and one that `/progress` has in place of 400. */
export function errorPages(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [name, code] of [...nginxErrors, ["progress", progressError]] as readonly (readonly [number | string, ErrorCode])[]) {
    const { error } = errorBody(code);
    files.set(`${name}.json`, `${JSON.stringify({ error })}\n`);
    files.set(`${name}.html`, renderError(error, { standalone: true }));
  }
  return files;
}
