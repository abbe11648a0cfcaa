/** How a file is divided among streams. */

/** A stretch of a file. */
export interface Segment {
  readonly start: number;
  readonly length: number;
}

const MiB = 1024 * 1024;
/** Smaller ones would spend their time on asking and answering; larger ones leave a stream that met losses behind. */
export const LEAST_SEGMENT = 4 * MiB;
/** Larger ones leave too much for one stream at the end. */
const USUAL_SEGMENT = 128 * MiB;
/** The request that declares a file names every segment in one header, and the site gives it back in one. */
export const MOST_SEGMENTS = 64;
/** So many segments for each stream, so that a slow one does not hold up the end. */
const SEGMENTS_PER_STREAM = 4;

/**
 * Segments of a file in order; one alone when it is not worth to divide it. Streams take them from the front, so that
 * the bytes under way lie close together and the site's digest can follow them.
 */
export function planSegments(size: number, streams: number): readonly Segment[] {
  if (streams <= 1 || size < 2 * LEAST_SEGMENT) return [{ start: 0, length: size }];
  const fair = Math.min(USUAL_SEGMENT, size / (streams * SEGMENTS_PER_STREAM));
  const length = Math.ceil(Math.max(LEAST_SEGMENT, fair, size / MOST_SEGMENTS) / MiB) * MiB;
  return Array.from({ length: Math.ceil(size / length) }, (_, i) => ({ start: i * length, length: Math.min(length, size - i * length) }));
}
