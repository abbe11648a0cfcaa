/** Which dialect a request speaks. */
import type { Dialect, SessionRequest } from "./dialect.ts";
import { plain } from "./plain/dialect.ts";
import { isResumable, resumable } from "./resumable/dialect.ts";
import { tusPath } from "./tus/answers.ts";
import { tus } from "./tus/dialect.ts";

/** The dialect of a request, by its address and its headers. */
export function dialectOf(request: SessionRequest): Dialect {
  if (request.path.startsWith(tusPath)) return tus;
  return isResumable(request) ? resumable : plain;
}
