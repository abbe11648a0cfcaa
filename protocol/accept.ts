/** What a client wants to read: a page or JSON. */

/**
 * Whether an `Accept` header (RFC 9110 section 12.5.1) names `text/html` and does not refuse it with `q=0`.
 * Programs, which send a wildcard or nothing, get JSON.
 */
export function acceptsHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  return accept.split(",").some((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    return type === "text/html" && !parameters.some((p) => /^q=0(?:\.0{0,3})?$/.test(p));
  });
}
