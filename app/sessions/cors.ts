/** Cross-origin resource sharing (https://fetch.spec.whatwg.org/#http-cors-protocol) for uploads from pages of other sites. */
import type { Dialect, SessionRequest } from "./dialect.ts";

const methods = "POST, PUT, PATCH, HEAD, DELETE, OPTIONS";

/** Seconds that a browser may keep the answer to a preflight. */
const keepPreflight = 86_400;

/** Headers that let a page of an allowed origin send requests and read their answers. No cookie is ever used. */
export function corsHeaders(dialect: Dialect, request: SessionRequest, origins: readonly string[]): Readonly<Record<string, string>> {
  if (origins.length === 0) return {};
  const origin = request.header("Origin");
  const any = origins.includes("*");
  // The answer depends on the origin also when there is none in the request.
  const vary = any ? {} : { Vary: "Origin" };
  if (origin === "" || !(any || origins.includes(origin))) return vary;
  const preflight = request.method === "OPTIONS" && request.header("Access-Control-Request-Method") !== "";
  const asked = request.header("Access-Control-Request-Headers");
  return {
    ...vary,
    "Access-Control-Allow-Origin": any ? "*" : origin,
    "Access-Control-Expose-Headers": ["Location", "Content-Location", "Repr-Digest", "X-Request-ID", ...dialect.exposed].join(", "),
    ...(preflight
      ? { "Access-Control-Allow-Methods": methods, "Access-Control-Max-Age": String(keepPreflight), ...(asked === "" ? {} : { "Access-Control-Allow-Headers": asked }) }
      : {}),
  };
}
