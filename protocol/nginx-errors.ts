/** What the statuses that nginx and its upload module make by themselves mean. */
import type { ErrorCode } from "./errors.ts";

/**
 * Which error nginx's own statuses mean. 494 to 497 are nginx's internal numbers
 * (ngx_http_request.h documents them as "our own codes"); the client sees the status of the row, 400.
 */
export const nginxErrors: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [400, "bad_request"],
  [403, "forbidden"],
  [404, "not_found"],
  [405, "method_not_allowed"],
  [408, "request_timeout"],
  [409, "taken_over"],
  [411, "length_required"],
  [413, "too_large"],
  [414, "uri_too_long"],
  [415, "unsupported_type"],
  [416, "bad_range"],
  [421, "wrong_host"],
  [429, "too_many_requests"],
  [431, "headers_too_large"],
  [494, "request_header_too_large"],
  [495, "bad_certificate"],
  [496, "no_certificate"],
  [497, "https_required"],
  [500, "internal"],
  [501, "not_implemented"],
  [502, "service_down"],
  [503, "unavailable"],
  [504, "service_slow"],
  [507, "disk_full"],
]);

/** What 400 means where nginx answers how far an upload is: nothing else can be wrong there. */
export const progressError: ErrorCode = "no_progress_id";

/** The same of a ranged segment, where it means something else. */
export const segmentErrors: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [400, "bad_segment"],
  [416, "segment_length"],
]);
