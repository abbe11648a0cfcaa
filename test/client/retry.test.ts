import { describe, expect, it } from "vitest";
import { isLasting, mayPass, waitMs } from "../../client/send/retry.ts";

describe("trying again", () => {
  it.each([[400, false], [401, false], [403, false], [404, false], [410, false], [413, false], [507, false], [408, true], [409, true], [429, true], [502, true], [503, true]])(
    "after %d: %s",
    (status, again) => expect(mayPass(status)).toBe(again),
  );

  it.each([["CHANGED", true], ["DEPTH_ZERO_SELF_SIGNED_CERT", true], ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", true], ["ECONNRESET", false], ["ECONNREFUSED", false]])(
    "%s lasts: %s",
    (code, lasts) => expect(isLasting(code)).toBe(lasts),
  );

  it("doubles the wait up to 30 s, half of it random", () => {
    expect([1, 2, 3, 20].map((failures) => waitMs(failures, undefined, 1))).toEqual([250, 500, 1000, 30_000]);
    expect(waitMs(1, undefined, 0)).toBe(125);
  });

  it("waits as long as Retry-After asks, within limits", () => {
    expect(waitMs(1, "7", 1)).toBe(7000);
    expect(waitMs(1, new Date(60_000).toUTCString(), 1, 50_000)).toBe(10_000);
    expect(waitMs(1, "86400", 1)).toBe(300_000);
    expect(waitMs(1, "soon", 1)).toBe(250);
  });
});
