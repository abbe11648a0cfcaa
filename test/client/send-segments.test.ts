import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LEAST_SEGMENT, MOST_SEGMENTS, planSegments } from "../../client/send/segments.ts";

const MiB = 1024 * 1024;

describe("segments of a file", () => {
  it.each([[0, 8, 1], [2 * LEAST_SEGMENT - 1, 8, 1], [64 * MiB, 1, 1], [64 * MiB, 8, 16], [2048 * MiB, 8, 32], [1024 * 1024 * MiB, 8, MOST_SEGMENTS]])(
    "of %d bytes for %d streams: %d",
    (size, streams, count) => expect(planSegments(size, streams)).toHaveLength(count),
  );

  it("follow one another without a gap, for every size and number of streams", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 46 }), fc.integer({ min: 1, max: 64 }), (size, streams) => {
        const segments = planSegments(size, streams);
        expect(segments.length).toBeLessThanOrEqual(MOST_SEGMENTS);
        let end = 0;
        for (const { start, length } of segments) {
          expect(start).toBe(end);
          if (size > 0) expect(length).toBeGreaterThan(0);
          end += length;
        }
        expect(end).toBe(size);
      }),
    );
  });
});
