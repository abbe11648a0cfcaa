/** Preconditions of a download (RFC 9110, section 13.1), as nginx decides on them. */

/** What nginx says of a file. */
export interface Validators {
  /** Its last write, whole seconds since 1970. */
  readonly seconds: number;
  /** Bytes. */
  readonly size: number;
}

/** The entity tag that nginx gives a file. */
export const etagOf = ({ seconds, size }: Validators): string => `"${seconds.toString(16)}-${size.toString(16)}"`;

/** Whether a request for a file is answered with 412, by its `If-Match` and its `If-Unmodified-Since`. Empty ones say nothing. */
export function isPreconditionFailed(headers: { readonly ifMatch: string; readonly ifUnmodifiedSince: string }, validators: Validators): boolean {
  const { ifMatch, ifUnmodifiedSince } = headers;
  if (ifUnmodifiedSince !== "" && !(Date.parse(ifUnmodifiedSince) / 1000 >= validators.seconds)) return true;
  return ifMatch !== "" && ifMatch.trim() !== "*" && !ifMatch.split(",").some((tag) => tag.trim() === etagOf(validators));
}
