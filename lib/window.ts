/** How much of a body nginx takes over HTTP/2 and HTTP/3 before it has written what came. */
import type { Size } from "./size.ts";

const WINDOW_BYTES = 4 * 1024 ** 2;

/**
 * Four buffers, up to 4 MiB: with 1 MiB a line of 50 ms carried 95 Mb/s over HTTP/2, with 4 MiB 226, as over HTTP/1.1.
 * @param buffer write buffer of one upload
 * @returns nginx's notation, for `client_body_buffer_size`; never less than the buffer
 */
export function windowSize({ text, bytes }: Size): string {
  if (bytes >= WINDOW_BYTES) return text;
  return 4 * bytes >= WINDOW_BYTES ? "4m" : `${(4 * bytes) / 1024}k`;
}
